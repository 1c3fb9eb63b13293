package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fhirdeid/anonymize/fhirmodel"
)

func TestProgress(t *testing.T) {
	s := &screen{of: 16, files: 3, bytes: 100_000_000, bad: 2}
	s.times = new(times)
	s.times.stored.Store(25_000_000)
	s.times.bytes.Store(300_000_000)
	s.times.lines.Store(1_234_567)
	const want = "3/16 files  25.0 MB of 100.0 MB  25%  1,234,567 lines  2 left out  75 MB/s  0:12 to go"
	if got := s.progress(4 * time.Second); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// Of standard input the end is not known.
	s.of, s.bytes, s.bad = 1, 0, 0
	if got, want := s.progress(4*time.Second), "25.0 MB  1,234,567 lines  75 MB/s  0:04"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestScreen: without a terminal there are no escapes and no progress; of many
// lines left out the first are told.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, &anonymizeOptions{}, false)
	s.start(new(times), []task{{size: 1}})
	for range 25 {
		s.leftOut("a.ndjson", os.ErrInvalid)
	}
	s.stop()
	if n := strings.Count(out.String(), "\n"); n != saidLines || s.unsaid != 15 {
		t.Errorf("%d lines are told, %d are not", n, s.unsaid)
	}
	if strings.ContainsAny(out.String(), "\x1b\r") {
		t.Errorf("escapes where no terminal is: %q", out.String())
	}
}

func TestLimit(t *testing.T) {
	for want, set := range map[string]func(*times){
		"engine":        func(t *times) { t.engine.Store(190); t.pack.Store(50) },
		"checking":      func(t *times) { t.engine.Store(190); t.check.Store(150) },
		"compressing":   func(t *times) { t.engine.Store(100); t.pack.Store(95); t.write.Store(5) },
		"writing":       func(t *times) { t.engine.Store(100); t.pack.Store(95); t.write.Store(80) },
		"decompressing": func(t *times) { t.unpack.Store(90); t.read.Store(10) },
		"reading":       func(t *times) { t.unpack.Store(90); t.read.Store(80) },
	} {
		var of times
		of.elapsed.Store(100)
		set(&of)
		if got := limit(of.busy(2)); got != want {
			t.Errorf("the limit is %s, want %s: %v", got, want, of.busy(2))
		}
	}
	if got := limit(new(times).busy(2)); got != "" {
		t.Errorf("nothing is limited by %s", got)
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"export": "export", "data/export//": "export", "/": "", ".": ".", "../x/": "x"} {
		if got := lastSegment(filepath.FromSlash(in)); got != want {
			t.Errorf("the last segment of %s is %q", in, got)
		}
	}
	for in, want := range map[string]string{"a/Patient.ndjson.gz": "Patient.ndjson", "Patient.json.zst": "Patient.json", "a.gz.b": "a.gz.b"} {
		if got := plainName(filepath.FromSlash(in)); got != want {
			t.Errorf("the plain name of %s is %q", in, got)
		}
	}
	for in, want := range map[string]string{"a/bad.ndjson": "a/bad.errors.ndjson", "bad": "bad.errors.ndjson"} {
		if got := errorsPath(in); got != want {
			t.Errorf("beside %s is %q", in, got)
		}
	}
	for in, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(in); got != want {
			t.Errorf("%d is %q", in, got)
		}
	}
	for in, want := range map[time.Duration]string{1400 * time.Millisecond: "0:01", 61 * time.Second: "1:01", 3723 * time.Second: "1:02:03"} {
		if got := clock(in); got != want {
			t.Errorf("%v is %q", in, got)
		}
	}
}

func TestChoose(t *testing.T) {
	const stu3, r4, r4b, r5 = fhirmodel.STU3, fhirmodel.R4, fhirmodel.R4B, fhirmodel.R5
	for _, c := range []struct {
		found  []fhirmodel.Version
		want   fhirmodel.Version
		notice string
		fails  bool
	}{
		{nil, r4, "", false},
		{[]fhirmodel.Version{r5}, r5, "", false},
		{[]fhirmodel.Version{stu3, r4, r5}, r4, "STU3 or R5", false},
		{[]fhirmodel.Version{r4b, r5}, "", "", true},
	} {
		got, notice, err := choose(c.found)
		if got != c.want || (notice == "") != (c.notice == "") || !strings.Contains(notice, c.notice) || (err != nil) != c.fails {
			t.Errorf("%v: %v %q %v", c.found, got, notice, err)
		}
	}
}

// TestQuarantineGoesBack: what a file left that was not finished is taken back,
// and what was there before stays.
func TestQuarantineGoesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.ndjson")
	for run, want := range []string{"a\nc\n", "a\nc\na\nc\n"} {
		q := &quarantine{path: path, append: run > 0}
		add := func(line string) {
			if err := q.add("file", 1, []byte(line), os.ErrInvalid); err != nil {
				t.Fatal(err)
			}
		}
		first := q.mark() // before the file is there
		add("lost")
		if err := q.rewind(first); err != nil {
			t.Fatal(err)
		}
		add("a")
		second := q.mark()
		add("b")
		if err := q.rewind(second); err != nil {
			t.Fatal(err)
		}
		add("c")
		if err := q.close(); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != want {
			t.Errorf("run %d: %q, want %q", run, got, want)
		}
		if got := strings.Count(read(t, errorsPath(path)), "\n"); got != strings.Count(want, "\n") {
			t.Errorf("run %d: %d descriptions", run, got)
		}
	}
}
