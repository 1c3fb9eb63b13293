package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"syscall"
	"time"
)

// funcHost is Azure Functions Core Tools in a process of its own.
type funcHost struct {
	cmd  *exec.Cmd
	url  string
	done chan struct{}
	why  error
}

// funcStart is how long func may take: it may fetch its extension bundle first.
const funcStart = 3 * time.Minute

func startFunc(ctx context.Context, path, app string, env map[string]string, log io.Writer) (host, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	h := &funcHost{url: fmt.Sprintf("http://127.0.0.1:%d", port), done: make(chan struct{})}
	h.cmd = exec.Command(path, "start", "--port", fmt.Sprint(port))
	h.cmd.Dir, h.cmd.Env = app, environ(env)
	h.cmd.Stdout, h.cmd.Stderr = log, log
	h.cmd.SysProcAttr = ownGroup() // so that all of it can be ended
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting func: %w", err)
	}
	go func() {
		defer close(h.done)
		h.why = h.cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(ctx, funcStart)
	defer cancel()
	for {
		r, err := http.Get(h.url + "/admin/host/status")
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return h, nil
			}
		}
		select {
		case <-h.done:
			return nil, errors.New("func ended at once; see the log in .local/logs")
		case <-ctx.Done():
			h.stop()
			return nil, errors.New("func did not get ready; see the log in .local/logs")
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (h *funcHost) fire(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/admin/functions/StartExport", bytes.NewReader([]byte(`{"input":""}`)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("firing the timer: %w", err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusAccepted {
		return fmt.Errorf("firing the timer: func answered %d", r.StatusCode)
	}
	return nil
}

func (h *funcHost) ended() <-chan struct{} { return h.done }
func (h *funcHost) err() error             { return h.why }

func (h *funcHost) stop() {
	_ = syscall.Kill(-h.cmd.Process.Pid, syscall.SIGINT) // gone already is fine
	select {
	case <-h.done:
	case <-time.After(15 * time.Second):
	}
	_ = syscall.Kill(-h.cmd.Process.Pid, syscall.SIGKILL)
	<-h.done
}

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
