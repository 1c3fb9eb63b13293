package funchost

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// process is one run of the handler program.
type process struct {
	pid      int
	kill     func() // SIGKILL: the real host never says a word before
	caller   *caller
	exited   chan struct{} // closed when the process is gone
	code     int           // valid after exited; 137 for a kill
	planned  atomic.Bool   // killed by the host: not counted as an error
	timeouts atomic.Int32  // invocations that timed out in it
}

// startProcess starts the handler: on a free port, in the host's own process
// group so that Ctrl-C reaches it, with nothing on stdin and the environment of
// the host plus the five variables of a custom handler.
func (h *Host) startProcess() (*process, error) {
	cfg := h.config.handler
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	path := h.settings.expand(cfg.executable)
	if inside := filepath.Join(h.root, path); !filepath.IsAbs(path) && isFile(inside) {
		path = inside
	}
	var arguments []string
	for _, a := range cfg.arguments {
		// The real host joins the arguments into one line, so a space splits.
		arguments = append(arguments, strings.Fields(h.settings.expand(a))...)
	}
	cmd := exec.Command(path, arguments...)
	cmd.Dir = h.root
	if cfg.workingDirectory != "" {
		cmd.Dir = cfg.workingDirectory
		if !filepath.IsAbs(cmd.Dir) {
			cmd.Dir = filepath.Join(h.root, cmd.Dir)
		}
	}
	id, number := uuid.NewString(), itoa(int64(port))
	cmd.Env = append(append([]string(nil), h.settings.environ...),
		"FUNCTIONS_CUSTOMHANDLER_PORT="+number,
		"FUNCTIONS_HTTPWORKER_PORT="+number,
		"FUNCTIONS_CUSTOMHANDLER_WORKER_ID="+id,
		"FUNCTIONS_HTTPWORKER_ID="+id,
		"FUNCTIONS_APP_ROOT_PATH="+h.root,
	)
	out := &lineWriter{line: func(s string) { h.consoleLine(s, false) }}
	errs := &lineWriter{line: func(s string) { h.consoleLine(s, true) }}
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.WaitDelay = 2 * time.Second
	if !h.options.LeaveHandler {
		dieWithParent(cmd)
	}
	p := &process{kill: func() { _ = cmd.Process.Kill() }, exited: make(chan struct{}), caller: &caller{
		address: "127.0.0.1:" + number, version: h.version, framing: h.options.Framing}}
	started := make(chan error)
	go func() {
		// The kernel ties the child's life to this thread, not to the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		p.pid = cmd.Process.Pid
		started <- nil
		_ = cmd.Wait()
		out.flush()
		errs.flush()
		p.code = exitCode(cmd.ProcessState)
		p.caller.close()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting the handler %s in %s: %w", path, cmd.Dir, withoutPath(err))
	}
	return p, nil
}

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

func exitCode(s *os.ProcessState) int {
	if s == nil {
		return 1
	}
	if c := s.ExitCode(); c >= 0 {
		return c
	}
	return 137 // by a signal
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// withoutPath strips what the message says already.
func withoutPath(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// lineWriter hands on whole lines.
type lineWriter struct {
	mu   sync.Mutex
	rest []byte
	line func(string)
}

// maxConsoleLine bounds a line that does not end.
const maxConsoleLine = 64 << 10

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 {
			if len(w.rest) < maxConsoleLine {
				return len(p), nil
			}
			i = len(w.rest) - 1
		}
		w.line(strings.TrimRight(string(w.rest[:i+1]), "\r\n"))
		w.rest = w.rest[i+1:]
	}
}

func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.line(string(w.rest))
		w.rest = nil
	}
}
