package staging

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReproducible builds the app twice, from two copies of the source in two
// folders, as two machines would, and with a Go command that is set up otherwise.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the app twice")
	}
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	one := packed(t, root, filepath.Join(t.TempDir(), "a"))
	t.Setenv("GOFLAGS", "-tags=other")
	two := packed(t, root, filepath.Join(t.TempDir(), "another", "folder"))
	if one != two {
		t.Errorf("the same source gave %s and %s", one, two)
	}
}

// packed copies the source to dir, packs the app from there, and returns the hash.
func packed(t *testing.T, root, dir string) string {
	t.Helper()
	copySource(t, root, dir)
	out := filepath.Join(dir, "dist")
	if err := Stage(t.Context(), dir, out, Azure); err != nil {
		t.Fatal(err)
	}
	// What lies beside the app is none of it.
	if err := os.WriteFile(filepath.Join(out, "local.settings.json"), []byte(dir), 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := Zip(out, filepath.Join(dir, "dist.zip"))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func copySource(t *testing.T, root, dir string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", "dist", ".local", "bin", "node_modules", "testdata"}, d.Name()) {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(dir, name), 0o755)
		}
		if d.Name() == ".git" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		return copyFile(path, filepath.Join(dir, name))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestZip: what is in a package, and how.
func TestZip(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"host.json", "handler", "B/function.json", "A/function.json", "local.settings.json", "A/notes.txt"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "app.zip")
	first, err := Zip(dir, file)
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "handler"), later, later); err != nil {
		t.Fatal(err)
	}
	if second, err := Zip(dir, file); err != nil || second != first {
		t.Errorf("another time of a file changes the package: %v", err)
	}
	r, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
		want := fs.FileMode(0o644)
		if f.Name == "handler" {
			want = 0o755
		}
		if f.Mode() != want || f.Modified.Year() != 1980 {
			t.Errorf("%s has mode %s and time %s", f.Name, f.Mode(), f.Modified)
		}
	}
	if want := []string{"A/function.json", "B/function.json", "handler", "host.json"}; !slices.Equal(names, want) {
		t.Errorf("the package has %q, want %q", names, want)
	}
	if _, err := Zip(t.TempDir(), file); err == nil {
		t.Error("an empty folder was packed")
	}
}

// TestOlderFunctionsGo: a function that is no more must not be deployed again.
func TestOlderFunctionsGo(t *testing.T) {
	out := t.TempDir()
	for _, name := range []string{"Old", "New"} {
		if err := os.MkdirAll(filepath.Join(out, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, name, "function.json"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeOthers(out, []string{filepath.Join("functions", "New", "function.json")}); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(out, "*", "function.json"))
	if len(left) != 1 || filepath.Base(filepath.Dir(left[0])) != "New" {
		t.Errorf("left are %q", left)
	}
}
