package staging

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// modified is the time of every file in a package. A zip file has no time before
// 1980, and the real ones differ from machine to machine.
var modified = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Zip packs the app that is laid out in dir into one file, as it is deployed, and
// returns its SHA-256 in hex. It takes what belongs to the app and nothing that lies
// beside it, such as local settings. The same files give the same bytes: their order,
// times and modes are fixed.
func Zip(dir, file string) (string, error) {
	names := []string{"handler", "host.json"}
	functions, err := filepath.Glob(filepath.Join(dir, "*", "function.json"))
	if err != nil || len(functions) == 0 {
		return "", fmt.Errorf("there is no app in %s", dir)
	}
	for _, f := range functions {
		names = append(names, filepath.Base(filepath.Dir(f))+"/function.json")
	}
	slices.Sort(names)

	out, err := os.Create(file)
	if err != nil {
		return "", fmt.Errorf("creating the package: %w", err)
	}
	defer out.Close()
	sum := sha256.New()
	w := zip.NewWriter(io.MultiWriter(out, sum))
	for _, name := range names {
		if err := addFile(w, dir, name); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("writing the package: %w", err)
	}
	if err := out.Close(); err != nil {
		return "", fmt.Errorf("writing the package: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func addFile(w *zip.Writer, dir, name string) error {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: modified}
	header.SetMode(0o644)
	if name == "handler" {
		header.SetMode(0o755) // wherever it was built
	}
	into, err := w.CreateHeader(header)
	if err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	from, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	defer from.Close()
	if _, err := io.Copy(into, from); err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	return nil
}
