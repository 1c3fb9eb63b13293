package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/klauspost/compress/zstd"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/internal/installation"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/planted"
	"fhirdeid/internal/storage"
)

// TestPlantedNight takes one resource of every type, with a traceable value in
// every leaf, through the whole system, and then looks for those values in
// everything but the raw account's own data: the screen, the logs of host and
// handler, the ledger, the messages of the queues, staging, the release, the
// catalog, the reports.
func TestPlantedNight(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Azurite, and builds the function app")
	}
	data := t.TempDir()
	tokens := writeSample(t, data)
	o, err := parse([]string{"--data", data, "--host", "standin", "--as-of", "2026-11-22"})
	if err != nil {
		t.Fatal(err)
	}
	o.state = t.TempDir()
	o.out = filepath.Join(o.state, "out")
	var shown screen
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	s := &system{o: o, state: o.state, out: &shown}
	if s.root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	if err := s.start(ctx); err != nil {
		t.Fatal(err)
	}
	l := ledger.New(s.account.Container("ledger"))
	messages := peek(t, s)
	if err := s.host.fire(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := s.follow(ctx, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != ledger.Released {
		t.Errorf("the run is %s: %v", r.State, r.Reasons)
	}
	if err := s.bring(ctx, r); err != nil {
		t.Fatal(err)
	}
	places := map[string][]byte{"the screen": []byte(shown.String()), "the queues": messages()}
	for _, name := range []string{"ledger", "staging", "research", "catalog"} {
		readContainer(t, s.account.Container(name), name, places)
	}
	s.stop() // so that the logs are whole
	readFolder(t, filepath.Join(o.state, "logs"), places)
	readFolder(t, filepath.Join(o.state, "out"), places)
	readFolder(t, filepath.Join(o.state, "reports"), places)
	// Whole words of ten letters are looked for: there is much text here.
	index := planted.NewIndex(tokens, 10)
	size := 0
	for where, text := range places {
		size += len(text)
		for _, hit := range index.Find(text) {
			switch hit.Token.Kind {
			case planted.Text, planted.Town, planted.Code, planted.Digits, planted.UUID, planted.IP:
				t.Errorf("%s has the %s of %s as %s", where, hit.Token.Kind, hit.Token.Path, hit.Form)
			}
		}
	}
	if raw, err := os.ReadFile(filepath.Join(data, "Patient.ndjson")); err != nil || len(index.Find(raw)) < 100 {
		t.Errorf("the tokens are not even found in the input: %v", err)
	}
	if !bytes.Contains(places["the queues"], []byte("run")) {
		t.Error("no message was seen in the queues")
	}
	if len(places) < 100 {
		t.Errorf("only %d files, blobs and messages were looked at", len(places))
	}
	t.Logf("%d tokens were looked for in %d files and blobs, %d bytes", len(tokens), len(places), size)
}

// peek looks at the messages of all queues again and again, without taking them,
// until what it returns is called for them.
func peek(t *testing.T, s *system) func() []byte {
	t.Helper()
	client, err := azqueue.NewServiceClientFromConnectionString(s.azurite.ConnectionString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var seen bytes.Buffer
	go func() {
		defer close(done)
		known := make(map[string]bool)
		for ctx.Err() == nil {
			for _, queue := range []string{installation.CheckQueue, installation.FetchQueue, installation.RetryQueue} {
				most := int32(32)
				r, err := client.NewQueueClient(queue).PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: &most})
				if err != nil {
					continue
				}
				for _, m := range r.Messages {
					if !known[*m.MessageID] {
						known[*m.MessageID] = true
						body, _ := base64.StdEncoding.DecodeString(*m.MessageText)
						fmt.Fprintf(&seen, "%s\n%s\n", *m.MessageText, body)
					}
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() []byte { cancel(); <-done; return seen.Bytes() }
}

// writeSample writes a file for each resource type.
func writeSample(t *testing.T, dir string) []planted.Token {
	t.Helper()
	var tokens []planted.Token
	for r := range planted.Sample(fhirmodel.R4, 5) {
		tokens = append(tokens, r.Tokens...)
		if err := os.WriteFile(filepath.Join(dir, r.Type+".ndjson"), append(r.JSON, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tokens
}

func readContainer(t *testing.T, c storage.Container, name string, places map[string][]byte) {
	t.Helper()
	for info, err := range c.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := c.Open(t.Context(), info.Name, "")
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		places[name+"/"+info.Name] = append(plain(t, data), fmt.Sprintf("\n%s %+v", info.Name, info)...)
	}
}

func readFolder(t *testing.T, dir string, places map[string][]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		places[strings.TrimPrefix(path, filepath.Dir(dir))] = plain(t, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// plain undoes compression.
func plain(t *testing.T, data []byte) []byte {
	t.Helper()
	var r io.Reader
	var err error
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(bytes.NewReader(data))
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		r, err = zstd.NewReader(bytes.NewReader(data))
	default:
		return data
	}
	if err != nil {
		t.Fatal(err)
	}
	if data, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return data
}
