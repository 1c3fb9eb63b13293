package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fhirdeid/internal/fhirserver"
	"fhirdeid/internal/funchost"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/synth"
)

// screen is what a person would see.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// night runs the command and returns its exit code, what it showed, and its
// state folder.
func night(t *testing.T, change func(*options)) (code int, shown string, state string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Azurite, and builds the function app")
	}
	o, err := parse([]string{"--patients", "12", "--host", "standin", "--as-of", "2026-11-22"})
	if err != nil {
		t.Fatal(err)
	}
	o.state = t.TempDir()
	o.out = filepath.Join(o.state, "out")
	change(&o)
	var out screen
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	code, err = run(ctx, o, &out)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(o.state, "logs", "host.log"))
		t.Fatalf("%v\n%s\n%s", err, out.String(), tail(log))
	}
	return code, out.String(), o.state
}

func tail(log []byte) []byte { return log[max(0, len(log)-8000):] }

// wantClean: nothing that identifies a patient is in the released data, in what
// was shown or in the log.
func wantClean(t *testing.T, shown, state string) {
	t.Helper()
	everything := map[string][]byte{"the screen": []byte(shown)}
	for _, dir := range []string{"out", "logs", "reports"} {
		err := filepath.WalkDir(filepath.Join(state, dir), func(path string, d os.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // nothing was released
			}
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			everything[path] = data
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	h := synth.New(synth.Config{Seed: 1, Patients: 12})
	for where, data := range everything {
		for i := range h.Patients() {
			for k, id := range h.Identifiers(i) {
				if bytes.Contains(data, []byte(id)) {
					t.Errorf("%s has identifier %d of patient %d", where, k, i)
				}
			}
		}
	}
}

// wantRelease compares the release with what the server has.
func wantRelease(t *testing.T, state string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(state, "out", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m pipeline.ReleaseManifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int64)
	for _, o := range m.Output {
		content, err := os.ReadFile(filepath.Join(state, "out", o.URL))
		if err != nil {
			t.Fatal(err)
		}
		if n := int64(bytes.Count(content, []byte{'\n'})); n != o.Count {
			t.Errorf("%s has %d lines, the manifest says %d", o.URL, n, o.Count)
		}
		got[o.Type] += o.Count
	}
	h := synth.New(synth.Config{Seed: 1, Patients: 12})
	for _, typ := range h.Types() {
		want := int64(0)
		for range h.Resources(typ, nil) {
			want++
		}
		if got[typ] != want {
			t.Errorf("%d of %s were released, the server has %d", got[typ], typ, want)
		}
	}
}

func TestNight(t *testing.T) {
	code, shown, state := night(t, func(*options) {})
	if code != exitReleased {
		t.Fatalf("it ended with %d:\n%s", code, shown)
	}
	for _, want := range []string{"released", "Every line was verified", "Observation", "report.html"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the screen does not say %q:\n%s", want, shown)
		}
	}
	wantRelease(t, state)
	wantClean(t, shown, state)
}

// TestNightOfFaults: servers that falter, events that are lost, late and
// doubled, a handler that is killed in the middle; the same release all the same.
func TestNightOfFaults(t *testing.T) {
	code, shown, state := night(t, func(o *options) {
		o.faults.KickOff = []int{503}
		o.faults.Poll = []int{0, 429, 500}
		o.faults.Outcome = "transient"
		o.faults.RetryAfter = "1"
		o.faults.File = []int{503, 0, 503}
		o.faults.CutFile = 3
		lost := funchost.Chance(7, 0.3)
		o.hostFaults = funchost.Faults{
			BlobEvent: func(_ funchost.BlobEvent, n int64) []funchost.Delivery {
				switch {
				case lost("AnonymizeFile", n):
					return []funchost.Delivery{}
				case n%5 == 0:
					return []funchost.Delivery{{}, {After: 300 * time.Millisecond}}
				}
				return []funchost.Delivery{{}}
			},
			DuplicateMessage: funchost.Chance(8, 0.1),
			Kill: func(function string, n int64) (time.Duration, bool) {
				return time.Millisecond, function == "FetchFile" && n == 3
			},
		}
		o.env = map[string]string{"REDRIVE_AFTER": "3s", "FILE_BYTES": "64KiB"}
	})
	if code != exitReleased {
		t.Fatalf("it ended with %d:\n%s", code, shown)
	}
	wantRelease(t, state)
	wantClean(t, shown, state)
}

func TestNightIsHeld(t *testing.T) {
	code, shown, state := night(t, func(o *options) { o.faults.BadLine = 0 })
	if code != exitOther || !strings.Contains(shown, "held") || !strings.Contains(shown, "quarantine") {
		t.Errorf("a bad line ends the night with %d:\n%s", code, shown)
	}
	if _, err := os.Stat(filepath.Join(state, "out")); err == nil {
		t.Error("something was released")
	}
	wantClean(t, shown, state)
	if _, err := os.Stat(filepath.Join(state, "reports")); err != nil {
		t.Error("there is no report")
	}
}

// TestWrongSettingIsShown: a person need not look into a log for it, nor wait.
func TestWrongSettingIsShown(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Azurite, and builds the function app")
	}
	o, err := parse([]string{"--host", "standin"})
	if err != nil {
		t.Fatal(err)
	}
	o.state = t.TempDir()
	o.env = map[string]string{"FHIR_AUTH": "smart", "FILE_BYTES": "1"}
	code, err := run(t.Context(), o, io.Discard)
	if code != exitFault || err == nil {
		t.Fatalf("it ended with %d, %v", code, err)
	}
	for _, name := range []string{"SMART_CLIENT_ID", "FILE_BYTES"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
}

// TestInterrupted: Ctrl-C leaves no process behind.
func TestInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Azurite, and builds the function app")
	}
	o, err := parse([]string{"--host", "standin"})
	if err != nil {
		t.Fatal(err)
	}
	o.state = t.TempDir()
	o.faults = fhirserver.NoFaults()
	var out screen
	ctx, cancel := context.WithCancel(t.Context())
	s := &system{o: o, state: o.state, out: &out}
	if s.root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		t.Fatal(err)
	}
	if err := s.start(ctx); err != nil {
		t.Fatal(err)
	}
	pid := s.host.(*standIn).h.HandlerPID()
	if syscall.Kill(pid, 0) != nil {
		t.Fatal("the handler is not running")
	}
	cancel()
	s.stop()
	if syscall.Kill(pid, 0) == nil {
		t.Error("the handler is still running")
	}
	select {
	case <-s.azurite.Exited():
	default:
		t.Error("Azurite is still running")
	}
}

func TestParse(t *testing.T) {
	for args, says := range map[string]string{
		"--patients 0":               "at least 1",
		"--data x --fhir-url y":      "exclude",
		"--host docker":              "standin",
		"--level ward":               "group",
		"--as-of yesterday":          "2026-11-22",
		"something":                  "unexpected",
		"--patients 5 --level group": "",
	} {
		_, err := parse(strings.Fields(args))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", args, err, says)
		}
	}
}
