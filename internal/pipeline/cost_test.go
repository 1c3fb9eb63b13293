package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// counted counts the calls to a container.
type counted struct {
	storage.Container
	calls *int
}

func (c counted) Get(ctx context.Context, name string) ([]byte, storage.Info, error) {
	*c.calls++
	return c.Container.Get(ctx, name)
}

func (c counted) Put(ctx context.Context, name string, data []byte, o storage.PutOptions) (storage.ETag, error) {
	*c.calls++
	return c.Container.Put(ctx, name, data, o)
}

func (c counted) Head(ctx context.Context, name string) (storage.Info, error) {
	*c.calls++
	return c.Container.Head(ctx, name)
}

func (c counted) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	*c.calls++
	return c.Container.List(ctx, prefix)
}

// TestTickIsCheap: while the server exports, a tick costs one message, one
// request to the server and at most three calls to the storage.
func TestTickIsCheap(t *testing.T) {
	w := calm(t, patients(1))
	w.server.duration = 100 * time.Hour
	p := w.direct()
	ctx := t.Context()
	id, _, err := p.Start(ctx, w.now)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, c := range []*storage.Container{&p.Stores.Raw, &p.Stores.Ledger, &p.Stores.Staging, &p.Stores.Research, &p.Stores.Quarantine, &p.Stores.Policy, &p.Stores.Catalog} {
		*c = counted{*c, &calls}
	}
	q := w.mem.Queue("check-export")
	for i := range 10 {
		r, _, err := ledger.New(w.mem.Container("ledger")).Run(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		calls = 0
		sent := len(q.Messages())
		if err := p.Check(ctx, Tick{Run: id, Tick: r.Tick}); err != nil {
			t.Fatal(err)
		}
		if i > 0 && (calls > 3 || len(q.Messages()) != sent+1) {
			t.Errorf("tick %d made %d calls to the storage and sent %d messages", i, calls, len(q.Messages())-sent)
		}
		w.now = w.now.Add(6 * time.Minute)
	}
}

// TestLongManifest: a manifest of 100,000 outputs is kept in pages, and a fetch
// reads one of them.
func TestLongManifest(t *testing.T) {
	const outputs = 100_000
	w := calm(t)
	p := w.direct()
	p.Exporter = longExporter{outputs}
	w.plan.Settings.FetchParallel = 8
	p.Plan = w.plan
	ctx := t.Context()
	r := fetchingRun(t, w, p)
	if r.Manifest.Outputs != outputs || r.Manifest.Lines != outputs {
		t.Fatalf("the manifest has %d outputs, %d lines", r.Manifest.Outputs, r.Manifest.Lines)
	}
	record, _, err := w.mem.Container("ledger").Get(ctx, "runs/"+r.ID+"/run.json")
	if err != nil || len(record) > 64<<10 {
		t.Errorf("the run's record has %d bytes, %v", len(record), err)
	}
	if err := p.Fetch(ctx, FetchOutput{Run: r.ID, Output: outputs - 1}, false); err != nil {
		t.Fatal(err)
	}
	f, err := p.ledger().Fetched(ctx, r.ID, outputs-1)
	if err != nil || f.Lines != 1 {
		t.Fatalf("the last output: %+v, %v", f, err)
	}
	if err := p.Check(ctx, Tick{Run: r.ID, Tick: r.Tick}); err != nil {
		t.Fatal(err)
	}
	r, _, err = p.ledger().Run(ctx, r.ID)
	if err != nil || r.Fetch.Progress.Fetched != 1 || len(r.Fetch.Chains) != 8 {
		t.Errorf("the survey saw %+v, %v", r.Fetch, err)
	}
}

// TestEveryLostEventIsMadeUpFor: however many files have no result, all are asked
// for again, each once.
func TestEveryLostEventIsMadeUpFor(t *testing.T) {
	const outputs = 2*maxRedrive + 100
	w := calm(t)
	p := w.direct()
	p.Exporter = longExporter{outputs}
	ctx := t.Context()
	r := fetchingRun(t, w, p)
	for i := range outputs {
		if err := p.Fetch(ctx, FetchOutput{Run: r.ID, Output: i}, false); err != nil {
			t.Fatal(err)
		}
	}
	q := w.mem.Queue("anonymize-retry")
	for round := 1; round <= 2; round++ {
		w.now = w.now.Add(r.Settings.RedriveAfter + time.Second)
		for range 5 {
			check(t, p, r.ID)
			w.now = w.now.Add(r.Settings.TickInterval)
		}
		asked := make(map[string]int)
		for _, m := range q.Messages() {
			asked[string(m.Body)]++
		}
		if len(asked) != outputs {
			t.Fatalf("%d of %d files were asked for again", len(asked), outputs)
		}
		for file, n := range asked {
			if n != round {
				t.Fatalf("%s was asked for %d times after %d rounds", file, n, round)
			}
		}
	}
}

// longExporter has so many outputs of one line.
type longExporter struct{ outputs int }

func (longExporter) KickOff(context.Context, bulkdata.Request) (bulkdata.Accepted, error) {
	return bulkdata.Accepted{StatusURL: "https://fhir.example/status/1"}, nil
}

func (e longExporter) Status(context.Context, string) (bulkdata.Status, error) {
	m := &bulkdata.Manifest{TransactionTime: time.Date(2026, 11, 22, 0, 30, 0, 0, time.UTC)}
	one := int64(1)
	for i := range e.outputs {
		m.Output = append(m.Output, bulkdata.Output{Type: "Patient", URL: fmt.Sprintf("https://fhir.example/file/%d?signature=0123456789", i), Count: &one})
	}
	return bulkdata.Status{Done: true, Manifest: m}, nil
}

func (longExporter) Open(context.Context, bulkdata.File) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(patientLine)), nil
}

func (longExporter) Cancel(context.Context, string) error { return nil }

func TestCutter(t *testing.T) {
	lines := func(n, size int) []byte { return bytes.Repeat(append(bytes.Repeat([]byte("x"), size-1), '\n'), n) }
	long := append(lines(3, 100), lines(1, 3<<20)...)
	long = append(long, lines(2, 100)...)
	for name, c := range map[string]struct {
		in     []byte
		limit  int64
		pieces []int64 // lines of each
	}{
		"nothing":                {nil, 100, nil},
		"one piece":              {lines(5, 10), 100, []int64{5}},
		"cut at line ends":       {lines(25, 10), 100, []int64{10, 10, 5}},
		"not quite fitting":      {lines(7, 30), 100, []int64{3, 3, 1}},
		"no last line end":       {bytes.TrimSuffix(lines(11, 10), []byte("\n")), 100, []int64{10, 1}},
		"blank lines":            {[]byte("a\n\n \r\nb\n"), 100, []int64{2}},
		"a line over the limit":  {lines(2, 300), 100, []int64{1, 1}},
		"a line over the buffer": {long, 1000, []int64{3, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			cut := newCutter(iotestSmall{bytes.NewReader(c.in)}, c.limit)
			var all bytes.Buffer
			var got []int64
			for cut.Next() {
				before := all.Len()
				p, err := cut.Copy(&all)
				if err != nil {
					t.Fatal(err)
				}
				if p.Bytes != int64(all.Len()-before) || p.Bytes > c.limit && p.Lines > 1 {
					t.Errorf("a piece of %d lines has %d bytes, %d written", p.Lines, p.Bytes, all.Len()-before)
				}
				got = append(got, p.Lines)
			}
			if cut.Err() != nil || !bytes.Equal(all.Bytes(), c.in) || fmt.Sprint(got) != fmt.Sprint(c.pieces) {
				t.Errorf("pieces %v, want %v; same bytes: %v; %v", got, c.pieces, bytes.Equal(all.Bytes(), c.in), cut.Err())
			}
		})
	}
}

// iotestSmall reads in odd pieces.
type iotestSmall struct{ r io.Reader }

func (s iotestSmall) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 4097)]) }

func FuzzCutter(f *testing.F) {
	f.Add([]byte("a\nbb\n\nccc"), 3)
	f.Fuzz(func(t *testing.T, in []byte, limit int) {
		if limit < 1 || limit > 1<<20 {
			return
		}
		cut := newCutter(bytes.NewReader(in), int64(limit))
		var all bytes.Buffer
		for cut.Next() {
			before := all.Len()
			if _, err := cut.Copy(&all); err != nil {
				t.Fatal(err)
			}
			if all.Len() == before {
				t.Fatal("a piece of nothing")
			}
			if piece := all.Bytes()[before:]; len(piece) > limit && bytes.Count(piece[:len(piece)-1], []byte{'\n'}) > 0 {
				t.Fatal("a piece over the limit has more than one line")
			}
		}
		if !bytes.Equal(all.Bytes(), in) {
			t.Fatal("bytes were lost")
		}
	})
}

func TestRunID(t *testing.T) {
	now := time.Date(2026, 11, 22, 1, 0, 0, 5e8, time.UTC)
	for name, c := range map[string]struct {
		scheduled time.Time
		want      string
	}{
		"on schedule":      {now.Truncate(time.Second), "20261122T010000Z"},
		"late":             {now.Add(-time.Hour), "20261122T000000Z"},
		"a moment early":   {now.Add(20 * time.Second), "20261122T010020Z"},
		"by hand":          {now.Add(24 * time.Hour), "20261122T010000Z-manual"},
		"without schedule": {time.Time{}, "20261122T010000Z-manual"},
	} {
		if got := RunID(c.scheduled, now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(`{"run":"20261122T010000Z","tick":1}`))
	f.Add([]byte(`{"run":"r","output":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := DecodeTick(data); err == nil && (m.Run == "" || m.Tick < 0) {
			t.Error("a bad tick was taken")
		}
		if m, err := DecodeFetchOutput(data); err == nil && (m.Run == "" || m.Output < 0) {
			t.Error("a bad fetch was taken")
		}
		if m, err := DecodeRetryFile(data); err == nil {
			if file, ok := parseRawFile(m.File); ok && file.String() != m.File {
				t.Errorf("%q is taken for %q", m.File, file)
			}
		}
	})
}
