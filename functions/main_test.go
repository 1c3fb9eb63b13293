package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is the handler program where a test has started it as one.
func TestMain(m *testing.M) {
	if os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT") != "" {
		main()
	}
	os.Exit(m.Run())
}

// handler is the program as the host would have started it.
type handler struct {
	cmd    *exec.Cmd
	url    string
	stderr bytes.Buffer
	ended  chan struct{}
}

func startHandler(t *testing.T, env ...string) *handler {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	h := &handler{url: fmt.Sprintf("http://127.0.0.1:%d", port), ended: make(chan struct{})}
	h.cmd = exec.Command(os.Args[0])
	h.cmd.Env = append(env, fmt.Sprintf("FUNCTIONS_CUSTOMHANDLER_PORT=%d", port))
	h.cmd.Stderr = &h.stderr
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = h.cmd.Wait() // how it ended is in its state
		close(h.ended)
	}()
	t.Cleanup(func() {
		_ = h.cmd.Process.Kill() // ended already is fine
		<-h.ended
	})
	return h
}

// wait waits for the program's end and returns its exit code.
func (h *handler) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-h.ended:
		return h.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		t.Fatal("the handler does not end")
		return 0
	}
}

// look asks until the program answers, as the host does.
func (h *handler) look(t *testing.T) int {
	t.Helper()
	for {
		r, err := http.Get(h.url)
		if err == nil {
			r.Body.Close()
			return r.StatusCode
		}
		select {
		case <-h.ended:
			t.Fatalf("the handler has ended: %s", h.stderr.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// silent is a server that takes connections and never says anything. It counts
// them.
func silent(t *testing.T) (url string, connections func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String(), func() int { return len(accepted) }
}

// TestListensBeforeAnythingElse: the program is ready for the host before it has
// spoken to a storage or a server, however slow those are; and an interrupt ends
// it with another code than 0.
func TestListensBeforeAnythingElse(t *testing.T) {
	url, connections := silent(t)
	account := "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=bm8ga2V5;BlobEndpoint=" + url + "/a;QueueEndpoint=" + url + "/a;"
	h := startHandler(t, "FHIR_SERVER_URL="+url, "FHIR_AUTH=none", "AzureWebJobsStorage="+account, "RawStorage="+account, "LakeStorage="+account)
	if got := h.look(t); got != http.StatusNotFound {
		t.Errorf("the host's look is answered %d", got)
	}
	if n := connections(); n > 0 {
		t.Errorf("%d connections were made before the first invocation", n)
	}
	if err := h.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := h.wait(t); code != exitCode {
		t.Errorf("it ended with %d", code)
	}
}

// TestWrongSettings: all faults are said at once, without a value, and the
// program does not end with 0.
func TestWrongSettings(t *testing.T) {
	h := startHandler(t, "FHIR_SERVER_URL=http://secret.example.org", "POLL_INTERVAL=secret", "FILE_BYTES=secret")
	if code := h.wait(t); code != exitCode {
		t.Errorf("it ended with %d", code)
	}
	for _, name := range []string{"POLL_INTERVAL", "FILE_BYTES", "AzureWebJobsStorage", "RawStorage", "LakeStorage"} {
		if !strings.Contains(h.stderr.String(), name) {
			t.Errorf("%s is not named: %s", name, h.stderr.String())
		}
	}
	if strings.Contains(h.stderr.String(), "secret") {
		t.Errorf("a value is quoted: %s", h.stderr.String())
	}
}

// TestInterruptAnswersWhatIsOpen: an invocation that is under way is answered
// before the program ends.
func TestInterruptAnswersWhatIsOpen(t *testing.T) {
	h := startHandler(t, "FHIR_SERVER_URL=http://127.0.0.1:1", "FHIR_AUTH=none",
		"AzureWebJobsStorage=UseDevelopmentStorage=true", "RawStorage=UseDevelopmentStorage=true", "LakeStorage=UseDevelopmentStorage=true")
	h.look(t)
	body, send := io.Pipe()
	got := make(chan string, 1)
	go func() {
		req, err := http.NewRequest(http.MethodPost, h.url+"/CheckExport", body)
		if err != nil {
			got <- err.Error()
			return
		}
		req.Header.Set("Expect", "100-continue") // the body is sent once the handler reads it
		r, err := (&http.Transport{ExpectContinueTimeout: time.Minute}).RoundTrip(req)
		if err != nil {
			got <- err.Error()
			return
		}
		defer r.Body.Close()
		answer, _ := io.ReadAll(r.Body) // what there is of it
		got <- fmt.Sprint(r.StatusCode, " ", strings.TrimSpace(string(answer)))
	}()
	if _, err := io.WriteString(send, "this is"); err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for { // it does not listen any more, so it has heard
		c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			break
		}
		c.Close()
	}
	if _, err := io.WriteString(send, " no envelope"); err != nil {
		t.Fatal(err)
	}
	send.Close()
	if answer := <-got; answer != "500 {}" {
		t.Errorf("the open invocation was answered %q", answer)
	}
	if code := h.wait(t); code != exitCode {
		t.Errorf("it ended with %d", code)
	}
}
