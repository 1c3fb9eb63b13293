package funchost

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// wireRequest is a request as it came over the wire, headers in their order.
type wireRequest struct {
	method, path string
	headers      [][2]string
	body         string
	chunks       int
	largestChunk int
}

func (r *wireRequest) header(name string) string {
	for _, h := range r.headers {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// wireReply is what the handler answers; close ends the connection instead.
type wireReply struct {
	status  int
	headers [][2]string
	body    string
	close   bool
}

// wireHandler is a handler that records every byte. It is no net/http server,
// because that would hide the order of headers and the size of chunks.
type wireHandler struct {
	listener net.Listener
	pings    chan *wireRequest
	requests chan *wireRequest
	answer   func(*wireRequest) wireReply

	mu    sync.Mutex
	conns int
}

func newWireHandler(t *testing.T, answer func(*wireRequest) wireReply) *wireHandler {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &wireHandler{listener: l, pings: make(chan *wireRequest, 100), requests: make(chan *wireRequest, 1000), answer: answer}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.conns++
			h.mu.Unlock()
			go h.serve(c)
		}
	}()
	return h
}

func (h *wireHandler) serve(c net.Conn) {
	defer c.Close()
	br := bufio.NewReader(c)
	for {
		r, err := readWireRequest(br)
		if err != nil {
			return
		}
		reply := wireReply{status: 404}
		if r.method == "GET" && r.path == "/" {
			h.pings <- r
		} else {
			h.requests <- r
			reply = h.answer(r)
		}
		if reply.close {
			return
		}
		var b strings.Builder
		fmt.Fprintf(&b, "HTTP/1.1 %d X\r\n", reply.status)
		for _, header := range reply.headers {
			fmt.Fprintf(&b, "%s: %s\r\n", header[0], header[1])
		}
		if reply.status != 204 {
			fmt.Fprintf(&b, "Content-Length: %d\r\n", len(reply.body))
		}
		b.WriteString("\r\n" + reply.body)
		if _, err := io.WriteString(c, b.String()); err != nil {
			return
		}
	}
}

func readWireRequest(br *bufio.Reader) (*wireRequest, error) {
	line := func() (string, error) {
		s, err := br.ReadString('\n')
		return strings.TrimRight(s, "\r\n"), err
	}
	first, err := line()
	if err != nil {
		return nil, err
	}
	parts := strings.Split(first, " ")
	r := &wireRequest{method: parts[0], path: parts[1]}
	for {
		h, err := line()
		if err != nil {
			return nil, err
		}
		if h == "" {
			break
		}
		name, value, _ := strings.Cut(h, ": ")
		r.headers = append(r.headers, [2]string{name, value})
	}
	var body strings.Builder
	defer func() { r.body = body.String() }()
	read := func(n int) error {
		_, err := io.CopyN(&body, br, int64(n))
		return err
	}
	if n, err := strconv.Atoi(r.header("Content-Length")); err == nil {
		return r, read(n)
	}
	if r.header("Transfer-Encoding") != "chunked" {
		return r, nil
	}
	for {
		size, err := line()
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(size, 16, 32)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			r.chunks++
			r.largestChunk = max(r.largestChunk, int(n))
			if err := read(int(n)); err != nil {
				return nil, err
			}
		}
		if _, err := line(); err != nil {
			return nil, err
		}
		if n == 0 {
			return r, nil
		}
	}
}
