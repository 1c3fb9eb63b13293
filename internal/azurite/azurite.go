// Package azurite installs and starts Azurite, the emulator of Azure Storage,
// for tests and for the local run. Nothing that is deployed imports it.
//
// The version is pinned by a lock file with the hashes of every package. It is
// installed once per user, outside the source tree, under a file lock, since
// packages are tested in parallel.
package azurite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Options say how to start.
type Options struct {
	// Dir is where data is kept; "" keeps it in memory.
	Dir string
	// Log takes what the emulator prints; nil drops it.
	Log io.Writer
}

// Server is a running emulator.
type Server struct {
	blobPort, queuePort int
	cmd                 *exec.Cmd
	exited              chan struct{}
	stop                sync.Once
}

// The account that every Azurite has, with its public key.
const (
	accountName = "devstoreaccount1"
	accountKey  = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// startTime is how long the emulator may take until it answers.
const startTime = 60 * time.Second

// Start installs the emulator if need be and starts it on free ports of the
// loopback address. It returns when the emulator answers. A missing Node.js is
// a *MissingError.
func Start(ctx context.Context, o Options) (*Server, error) {
	script, err := Install(ctx)
	if err != nil {
		return nil, err
	}
	// Between the choice of a port and its use another program may take it.
	for range 3 {
		var s *Server
		if s, err = start(ctx, script, o); err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

func start(ctx context.Context, script string, o Options) (*Server, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	node, err := find("node")
	if err != nil {
		return nil, err
	}
	args := []string{script, "--silent", "--skipApiVersionCheck", "--disableTelemetry",
		"--blobHost", "127.0.0.1", "--queueHost", "127.0.0.1", "--tableHost", "127.0.0.1",
		"--blobPort", fmt.Sprint(ports[0]), "--queuePort", fmt.Sprint(ports[1]), "--tablePort", fmt.Sprint(ports[2])}
	if o.Dir == "" {
		args = append(args, "--inMemoryPersistence")
	} else {
		args = append(args, "--location", o.Dir)
	}
	s := &Server{blobPort: ports[0], queuePort: ports[1], exited: make(chan struct{})}
	s.cmd = exec.Command(node, args...)
	s.cmd.Stdout, s.cmd.Stderr = o.Log, o.Log
	s.cmd.SysProcAttr = dieWithParent()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting Azurite: %w", err)
	}
	go func() {
		_ = s.cmd.Wait() // how it ended does not matter; that it did is seen
		close(s.exited)
	}()
	if err := s.await(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// await waits until both services answer.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	client := &http.Client{Timeout: 2 * time.Second}
	for _, url := range []string{s.BlobURL(), s.QueueURL()} {
		for {
			if r, err := client.Get(url); err == nil {
				r.Body.Close()
				break
			}
			select {
			case <-s.exited:
				return errors.New("starting Azurite: it ended at once; another program may have taken its port")
			case <-ctx.Done():
				return fmt.Errorf("starting Azurite: it did not answer: %w", ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}

// BlobURL is the blob endpoint of the account.
func (s *Server) BlobURL() string {
	return fmt.Sprintf("http://127.0.0.1:%d/%s", s.blobPort, accountName)
}

// QueueURL is the queue endpoint of the account.
func (s *Server) QueueURL() string {
	return fmt.Sprintf("http://127.0.0.1:%d/%s", s.queuePort, accountName)
}

// ConnectionString is what storage clients and the Functions host are given.
func (s *Server) ConnectionString() string {
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;QueueEndpoint=%s;",
		accountName, accountKey, s.BlobURL(), s.QueueURL())
}

// Stop ends the emulator and waits until it is gone.
func (s *Server) Stop() {
	s.stop.Do(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.exited:
			return
		case <-time.After(3 * time.Second):
		}
		_ = s.cmd.Process.Kill()
		<-s.exited
	})
}

// Exited is closed when the emulator has ended.
func (s *Server) Exited() <-chan struct{} { return s.exited }

func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("looking for a free port: %w", err)
		}
		defer l.Close() // all at once, so that they differ
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// MissingError says that a program which has to be there is not.
type MissingError struct{ Program string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not on the PATH. It comes with Node.js, version 20 or newer: https://nodejs.org, or your system's package manager (apt install nodejs npm, brew install node)", e.Program)
}

func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", &MissingError{Program: program}
	}
	return path, nil
}

// cacheDir is where the emulator is installed; FHIRDEID_CACHE moves it.
func cacheDir() (string, error) {
	if dir := os.Getenv("FHIRDEID_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a place to install Azurite: %w; set FHIRDEID_CACHE", err)
	}
	return dir + string(os.PathSeparator) + "fhirdeid", nil
}
