package funchost

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Framing is how the length of a request's body is told to the handler.
type Framing int

const (
	// Chunked is what the Functions host does in Azure: chunks of about 1 kB.
	Chunked Framing = iota
	// ContentLength is what the host does under "func start".
	ContentLength
)

// chunkBytes is the size of the host's chunks.
const chunkBytes = 1024

// maxReply bounds what is read of a reply.
const maxReply = 64 << 20

// caller posts invocations to the handler. It speaks HTTP/1.1 itself, because
// the standard client cannot be told the order of headers nor the size of
// chunks, and a handler may depend on neither only if a test shows it both.
type caller struct {
	address string // 127.0.0.1:port
	version string // X-Azure-Functions-HostVersion
	framing Framing

	mu   sync.Mutex
	idle []*handlerConn
}

// response is a reply, read to its end.
type response struct {
	status      int
	contentType string
	location    string
	body        []byte
}

// handlerConn is one kept-alive connection. A reader goroutine watches it for
// the whole of its life, so that a dead connection is noticed while it idles.
type handlerConn struct {
	net.Conn
	requests chan *http.Request
	replies  chan connReply
	dead     chan struct{}
}

type connReply struct {
	response
	keep bool
	err  error
}

var errEnded = errors.New("the response ended prematurely")

// ping asks for / with nothing but a Host header. Any answer means ready.
func (c *caller) ping(ctx context.Context) error {
	_, err := c.roundTrip(ctx, http.MethodGet, "/", "", nil)
	return err
}

// invoke posts body to the function and follows redirects as the host does.
// sent is called once the request is on its way.
func (c *caller) invoke(ctx context.Context, function, invocation string, body []byte, sent func()) (response, error) {
	headers := "X-Azure-Functions-HostVersion: " + c.version + "\r\n" +
		"X-Azure-Functions-InvocationId: " + invocation + "\r\n" +
		"User-Agent: Azure-Functions-Host/" + c.version + "\r\n"
	method, path := http.MethodPost, "/"+function
	for range 50 {
		r, err := c.roundTripNotify(ctx, method, path, headers, body, sent)
		if err != nil || r.location == "" {
			return r, err
		}
		sent = nil
		switch r.status {
		case http.StatusMultipleChoices, http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
			method, body = http.MethodGet, nil
		case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return r, nil
		}
		target, err := url.Parse(r.location)
		if err != nil || (target.Host != "" && target.Host != c.address) {
			return r, nil
		}
		path = (&url.URL{Path: path}).ResolveReference(target).RequestURI()
	}
	return response{}, errors.New("too many redirects")
}

func (c *caller) roundTrip(ctx context.Context, method, path, headers string, body []byte) (response, error) {
	return c.roundTripNotify(ctx, method, path, headers, body, nil)
}

func (c *caller) roundTripNotify(ctx context.Context, method, path, headers string, body []byte, sent func()) (response, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return response{}, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	request, _ := http.NewRequest(method, "http://"+c.address+"/", nil)
	conn.requests <- request
	writeErr := c.write(conn, method, path, headers, body)
	if writeErr == nil && sent != nil {
		sent()
	}
	// An early reply counts even if the handler did not read all of the body.
	reply := <-conn.replies
	if reply.err != nil {
		conn.Close()
		if ctx.Err() != nil {
			return response{}, context.Cause(ctx)
		}
		return response{}, reply.err
	}
	if reply.keep && writeErr == nil && stop() {
		c.release(conn)
	} else {
		conn.Close()
	}
	return reply.response, nil
}

// write sends the request with the host's headers in the host's order.
func (c *caller) write(conn *handlerConn, method, path, headers string, body []byte) error {
	w := bufio.NewWriterSize(conn, 16<<10)
	fmt.Fprintf(w, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, path, c.address, headers)
	switch {
	case body == nil:
		io.WriteString(w, "\r\n")
	case c.framing == ContentLength:
		fmt.Fprintf(w, "Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n", len(body))
		w.Write(body)
	default:
		io.WriteString(w, "Transfer-Encoding: chunked\r\nContent-Type: application/json; charset=utf-8\r\n\r\n")
		for len(body) > 0 {
			n := min(chunkBytes, len(body))
			fmt.Fprintf(w, "%x\r\n", n)
			w.Write(body[:n])
			io.WriteString(w, "\r\n")
			body = body[n:]
		}
		io.WriteString(w, "0\r\n\r\n")
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sending the request: %w", err)
	}
	return nil
}

// connect takes the idle connection that was used last, or makes one.
func (c *caller) connect(ctx context.Context) (*handlerConn, error) {
	for {
		c.mu.Lock()
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			break
		}
		conn := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		select {
		case <-conn.dead:
			continue
		default:
			return conn, nil
		}
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the handler: %w", err)
	}
	conn := &handlerConn{Conn: raw, requests: make(chan *http.Request, 1), replies: make(chan connReply, 1), dead: make(chan struct{})}
	go conn.read()
	return conn, nil
}

func (c *caller) release(conn *handlerConn) {
	c.mu.Lock()
	c.idle = append(c.idle, conn)
	c.mu.Unlock()
}

// close drops the idle connections.
func (c *caller) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.idle {
		conn.Close()
	}
	c.idle = nil
}

// read answers each request with the reply that follows it, until the
// connection ends.
func (conn *handlerConn) read() {
	defer close(conn.dead)
	br := bufio.NewReader(conn)
	for {
		_, err := br.Peek(1)
		var request *http.Request
		select {
		case request = <-conn.requests:
		default:
			if err == nil {
				conn.Close() // a reply nobody asked for
			}
			// A request that was handed this connection in the last moment must
			// still get its answer.
			select {
			case request = <-conn.requests:
			case conn.replies <- connReply{err: errEnded}:
				return
			}
		}
		if err != nil {
			conn.replies <- connReply{err: errEnded}
			return
		}
		reply := readReply(br, request)
		conn.replies <- reply
		if reply.err != nil || !reply.keep {
			return
		}
	}
}

func readReply(br *bufio.Reader, request *http.Request) connReply {
	r, err := http.ReadResponse(br, request)
	for err == nil && r.StatusCode == http.StatusContinue {
		r, err = http.ReadResponse(br, request)
	}
	if err != nil {
		return connReply{err: errEnded}
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxReply+1))
	switch {
	case err != nil:
		return connReply{err: errEnded}
	case len(body) > maxReply:
		return connReply{err: errors.New("the reply is larger than the stand-in reads")}
	}
	return connReply{
		response: response{status: r.StatusCode, contentType: r.Header.Get("Content-Type"), location: r.Header.Get("Location"), body: body},
		keep:     !r.Close && !strings.EqualFold(r.Header.Get("Connection"), "close"),
	}
}

// freePort asks the system for a port that nobody uses.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	return strconv.Atoi(text)
}
