package anonymize

import (
	"bytes"
	"path/filepath"
	"testing"
)

// speedData is some of Synthea's resources of every type, or made-up ones.
func speedData(t testing.TB) [][]byte {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "data", "synthea-r4", "*.ndjson.gz"))
	var lines [][]byte
	for _, f := range files {
		n := 0
		for line := range bytes.Lines(gunzip(t, f)) {
			if n++; n > 200 {
				break
			}
			lines = append(lines, line)
		}
	}
	if lines == nil {
		lines = bytes.SplitAfter(madeUp(1<<18), []byte{'\n'})
		lines = lines[:len(lines)-1]
	}
	return lines
}

// TestNoAllocations: once a worker has seen a line's like, its work takes no
// memory any more.
func TestNoAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("with the race detector, pools such as those of regular expressions forget at random")
	}
	lines := speedData(t)
	engines := map[string]*Engine{"safe-harbor": harborEngine(t)}
	if p := sampleFile(); p != "" { // what stands for it without the file has methods that take memory
		engines["sample"] = compileFile(t, p)
	}
	for name, e := range engines {
		w := newWorker(e)
		var out []byte
		run := func() {
			for _, line := range lines {
				var err error
				if out, err = w.resource(out[:0], line); err != nil {
					t.Fatal(err)
				}
			}
		}
		run()
		if n := testing.AllocsPerRun(3, run); n > 0 {
			t.Errorf("%s: %v allocations for %d resources", name, n, len(lines))
		}
	}
}

// TestSplice: splicing gives what writing anew gives.
func TestSplice(t *testing.T) {
	lines := speedData(t)
	for _, s := range seeds {
		lines = append(lines, []byte(s))
	}
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "data", "hl7-r4-examples", "*.ndjson.gz"))
	for _, f := range files {
		lines = append(lines, bytes.SplitAfter(gunzip(t, f), []byte{'\n'})...)
	}
	for name, e := range map[string]*Engine{"sample": sampleEngine(t), "safe-harbor": harborEngine(t), "every method": compileText(t, everyMethod)} {
		w := newWorker(e)
		done := 0
		for _, line := range lines {
			if _, err := w.resource(nil, line); err != nil {
				continue
			}
			done++
			if spliced, anew := bothWays(w); !bytes.Equal(spliced, anew) {
				t.Fatalf("%s: it is spliced to\n%s\nand written anew to\n%s", name, spliced, anew)
			}
		}
		if done < len(lines)/2 {
			t.Errorf("%s: only %d of %d lines were processed", name, done, len(lines))
		}
	}
}

// bothWays writes what a worker has decided, by splicing and anew.
func bothWays(w *worker) (spliced, anew []byte) {
	spliced = w.emit(nil)
	w.moved = true
	anew = w.emit(nil)
	w.moved = false
	return spliced, anew
}
