package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
)

const testRules = `{"fhirVersion":"R4","fhirPathRules":[{"path":"Patient.name","method":"redact"},{"path":"Resource","method":"keep"}]}`

// write writes a file of a test.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// call makes the command, ready to be executed in this process.
func call(stderr io.Writer, args ...string) *cobra.Command {
	root := rootCommand()
	root.SetArgs(append([]string{"anonymize"}, args...))
	root.SetErr(stderr)
	return root
}

// TestJSONForm: two blanks, line feeds between, and none at the end.
func TestJSONForm(t *testing.T) {
	dir := t.TempDir()
	rules := write(t, filepath.Join(dir, "rules.json"), `{"fhirVersion":"R4","fhirPathRules":[{"path":"Patient.active","method":"keep"}]}`)
	in := write(t, filepath.Join(dir, "in.json"), "\ufeff{\r\n\t\"resourceType\":\"Patient\", \"id\":\"1\",\n\"name\":[{\"family\":\"é\",\n\"given\":[\"a\"]}]}\n\n")
	out := filepath.Join(dir, "out.json")
	if err := call(io.Discard, "-i", in, "-o", out, "-c", rules).Execute(); err != nil {
		t.Fatal(err)
	}
	const want = "{\n  \"resourceType\": \"Patient\",\n  \"id\": \"1\",\n  \"name\": [\n    {\n      \"family\": \"é\",\n      \"given\": [\n        \"a\"\n      ]\n    }\n  ]\n}"
	if got := read(t, out); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBrokenInput: a file that cannot be read to its end costs no other, and
// leaves no result.
func TestBrokenInput(t *testing.T) {
	dir := t.TempDir()
	rules := write(t, filepath.Join(dir, "rules.json"), testRules)
	plain := write(t, filepath.Join(dir, "plain.ndjson"), strings.Repeat(`{"resourceType":"Patient"}`+"\n", 1000))
	for _, ext := range []string{".gz", ".zst"} {
		in, out := filepath.Join(dir, "in"+ext), filepath.Join(dir, "out"+ext)
		if err := call(io.Discard, "-i", plain, "-o", filepath.Join(in, "b.ndjson"+ext), "-c", rules).Execute(); err != nil {
			t.Fatal(err)
		}
		whole := read(t, filepath.Join(in, "b.ndjson"+ext))
		write(t, filepath.Join(in, "a.ndjson"+ext), whole[:len(whole)-9])
		write(t, filepath.Join(in, "c.ndjson"+ext), whole[:6])
		write(t, filepath.Join(in, "d.ndjson"+ext), whole[:20]+"Blumenthal"+whole[30:])
		write(t, filepath.Join(in, "e.json"), "")
		var stderr bytes.Buffer
		err := call(&stderr, "-i", in, "-o", out, "-c", rules).Execute()
		if err == nil || !strings.Contains(err.Error(), "4 files could not be processed") {
			t.Errorf("it ended with %v", err)
		}
		if got := folder(t, out); !slices.Equal(got, []string{"b.ndjson" + ext}) {
			t.Errorf("there are %v", got)
		}
		if strings.Contains(stderr.String(), "Blumenthal") || strings.Count(stderr.String(), "failed: ") != 4 {
			t.Error(stderr.String())
		}
	}
}

// trigger cancels when a text is written.
type trigger struct {
	text   string
	cancel func()
}

func (w trigger) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.cancel()
	}
	return len(p), nil
}

// TestGoingOn interrupts a folder behind each of its files: nothing half-written
// is left, and with -s the rest is done and the quarantine has each line once.
func TestGoingOn(t *testing.T) {
	dir := t.TempDir()
	rules := write(t, filepath.Join(dir, "rules.json"), testRules)
	in := filepath.Join(dir, "in")
	var names []string
	for i := range 4 {
		name := fmt.Sprintf("%d.ndjson.gz", i)
		names = append(names, name)
		text := strings.Repeat(fmt.Sprintf(`{"resourceType":"Patient","id":"%d"}`+"\n", i), 100) + fmt.Sprintf(`{"bad":%d}`+"\n", i)
		write(t, filepath.Join(in, name), text)
	}
	run := func(ctx context.Context, stderr io.Writer, out string, more ...string) error {
		return call(stderr, append([]string{"-v", "-i", in, "-o", out, "-c", rules, "--quarantine", out + ".bad"}, more...)...).ExecuteContext(ctx)
	}
	whole := filepath.Join(dir, "whole")
	if err := run(t.Context(), io.Discard, whole); err == nil {
		t.Fatal("bad lines are no news")
	}
	for i, name := range names {
		out := filepath.Join(dir, fmt.Sprint("out", i))
		ctx, cancel := context.WithCancel(t.Context())
		err := run(ctx, trigger{name + ": 101 lines", cancel}, out)
		if i+1 < len(names) && (err == nil || !strings.Contains(err.Error(), "interrupted")) {
			t.Fatalf("it ended with %v", err)
		}
		if got, want := folder(t, out), names[:i+1]; !slices.Equal(got, want) {
			t.Fatalf("after the interruption there are %v, want %v", got, want)
		}
		if err := run(t.Context(), io.Discard, out, "-s"); i+1 < len(names) && err == nil {
			t.Fatal("bad lines are no news")
		}
		for _, name := range []string{"/" + names[0], "/" + names[1], "/" + names[2], "/" + names[3], ".bad", ".errors.ndjson"} {
			if read(t, out+name) != read(t, whole+name) {
				t.Errorf("interrupted behind file %d, %s differs", i, name)
			}
		}
	}
}

func folder(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestSignals sends a signal to a real process in the middle of a file.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := t.TempDir()
			link := filepath.Join(dir, "fhirdeid") // under this name the tests' program is the command
			if err := os.Symlink(program, link); err != nil {
				t.Fatal(err)
			}
			rules := write(t, filepath.Join(dir, "rules.json"), testRules)
			out := filepath.Join(dir, "out")
			var stderr bytes.Buffer
			cmd := exec.Command(link, "anonymize", "-c", rules, "-o", filepath.Join(out, "x.ndjson.gz"), "--quarantine", filepath.Join(dir, "bad"), "--summary-json", filepath.Join(dir, "summary"))
			cmd.Stderr = &stderr
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// When so much is taken, more than the pipeline's buffers hold, the
			// result has been begun.
			line := []byte(`{"resourceType":"Patient","name":[{"family":"Blumenthal"}]}` + "\n" + `{"family":"Blumenthal"}` + "\n")
			if _, err := in.Write(bytes.Repeat(line, 12<<20/len(line))); err != nil {
				t.Fatal(err, stderr.String())
			}
			if got := folder(t, out); len(got) != 1 || !strings.HasPrefix(got[0], ".fhirdeid-") {
				t.Errorf("while it works, there are %v", got)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			err = cmd.Wait() // the pipe is open still: nothing but the signal ends it
			if cmd.ProcessState.ExitCode() != exitInterrupted {
				t.Errorf("it ended with %v: %s", err, stderr.String())
			}
			if got := folder(t, out); len(got) > 0 {
				t.Errorf("it has left %v", got)
			}
			if got := read(t, filepath.Join(dir, "bad")); got != "" {
				t.Errorf("the quarantine has %d bytes of a file that is not done", len(got))
			}
			if !strings.Contains(read(t, filepath.Join(dir, "summary")), `"outcome": "interrupted"`) || strings.Contains(stderr.String(), "Blumenthal") {
				t.Error("summary or messages are not as they should be")
			}
		})
	}
}

// endless hands out a line again and again, and notes how much heap is in use.
type endless struct {
	line       []byte
	rest       []byte
	left       int
	read, next int
	most       [2]uint64 // in the first and in the second half
	half       int
}

func (r *endless) Read(p []byte) (n int, err error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	if r.read >= r.next {
		r.next += 4 << 20
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		at := 0
		if r.left < r.half {
			at = 1
		}
		r.most[at] = max(r.most[at], m.HeapInuse)
	}
	for n < len(p) {
		if len(r.rest) == 0 {
			if r.left <= 0 {
				break
			}
			r.rest = r.line
			r.left -= len(r.line)
		}
		c := copy(p[n:], r.rest)
		r.rest = r.rest[c:]
		n += c
	}
	r.read += n
	return n, nil
}

// TestMemory: however long the stream, memory stays; what the other tests have
// left is not counted.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	const size, limit = 256 << 20, 32 << 20
	dir := t.TempDir()
	rules := write(t, filepath.Join(dir, "rules.json"), testRules)
	in := &endless{left: size, half: size / 2}
	var given []string
	for i := range 100 {
		given = append(given, fmt.Sprintf(`"name %d"`, i))
	}
	in.line = []byte(`{"resourceType":"Patient","id":"1","name":[{"given":[` + strings.Join(given, ",") + `]}],"photo":[{"title":"` + strings.Repeat("x", 2000) + `"}]}` + "\n")
	for _, name := range []string{"out.ndjson", "out.ndjson.gz", "out.ndjson.zst"} {
		in.left, in.most, in.read, in.next = size/3, [2]uint64{}, 0, 0
		in.half = in.left / 2
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		cmd := call(io.Discard, "-c", rules, "-o", filepath.Join(dir, name), "--jobs", "2")
		cmd.SetIn(in)
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		most := max(in.most[0], in.most[1]) - min(before.HeapInuse, in.most[0])
		if most > limit || in.most[1] > in.most[0]+8<<20 {
			t.Errorf("%s: in the first half of %d MiB %.1f MiB of heap were in use, in the second %.1f, before %.1f", name, size/3>>20, float64(in.most[0])/(1<<20), float64(in.most[1])/(1<<20), float64(before.HeapInuse)/(1<<20))
		} else {
			t.Logf("%s: %.1f MiB", name, float64(most)/(1<<20))
		}
	}
}
