package bulkdata

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrChanged says that a transfer broke off and the server's file is not the
// same any more, or cannot be gone on with: it has to be read from its start.
var ErrChanged = errors.New("the transfer broke off and cannot be gone on with")

// File is a file of a manifest.
type File struct {
	URL string
	// RequiresAccessToken is the manifest's word.
	RequiresAccessToken bool
}

// maxResumes bounds how often one transfer is gone on with.
const maxResumes = 20

// Open streams a file. Compression by gzip is undone. A transfer that breaks
// off is gone on with, only while the server's ETag or Last-Modified is
// unchanged; else reading ends with an error that wraps ErrChanged. An expired
// link is an *Error of kind Gone; one that leads elsewhere of kind Refused.
func (c *Client) Open(ctx context.Context, f File) (io.ReadCloser, error) {
	const op = "reading an exported file"
	u, err := url.Parse(f.URL)
	if err != nil || u.Host == "" {
		return nil, &Error{Op: op, Kind: Refused, Hint: "the manifest has no URL for it"}
	}
	d := &download{ctx: ctx, c: c, op: op, u: u}
	if d.auth, err = c.fileAccess(op, u, f.RequiresAccessToken); err != nil {
		return nil, err
	}
	if err := d.connect(0); err != nil {
		return nil, err
	}
	if d.compressed {
		z, err := gzip.NewReader(d)
		if err != nil {
			d.Close()
			return nil, &Error{Op: op, Kind: Transient, URL: withoutQuery(u), Err: errors.New("its gzip cannot be read")}
		}
		return &unzipped{Reader: z, under: d}, nil
	}
	return d, nil
}

// fileAccess decides whether a file may be asked for, and with whose token. A
// forged manifest must not get a token to go elsewhere, nor make this client
// ask for anything on its network.
func (c *Client) fileAccess(op string, u *url.URL, tokenAsked bool) (Authorizer, error) {
	origin := originOf(u)
	if origin != originOf(c.base) && !contains(c.fileOrigins, origin) {
		return nil, &Error{Op: op, Kind: Refused, URL: withoutQuery(u),
			Hint: "the manifest names a place that is neither the FHIR server nor configured, and no request was sent; if it is right, add its origin to FHIR_FILE_ORIGINS, or set ExportStorage to the account that the server exports to"}
	}
	if tokenAsked {
		return c.auth, nil
	}
	return nil, nil
}

// download is one transfer, over as many connections as it takes.
type download struct {
	ctx  context.Context
	c    *Client
	op   string
	u    *url.URL
	auth Authorizer

	body       io.ReadCloser
	hangUp     context.CancelFunc // ends the connection
	stalled    *time.Timer        // hangs up when nothing has come for long
	offset     int64              // bytes handed out
	length     int64              // of the whole file as sent, -1 where unknown
	validator  string
	compressed bool
	resumes    int
}

// connect asks for the file from an offset on.
func (d *download) connect(offset int64) error {
	header := http.Header{"Accept": {"application/fhir+ndjson"}, "Accept-Encoding": {"gzip"}}
	if offset > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		header.Set("If-Range", d.validator)
		if !d.compressed {
			header.Set("Accept-Encoding", "identity")
		}
	}
	ctx, hangUp := context.WithCancel(d.ctx)
	for _, fresh := range []bool{false, true} {
		r, err := d.c.send(ctx, d.c.files, d.op, http.MethodGet, d.u, header, d.auth, fresh)
		if err != nil {
			hangUp()
			return err
		}
		if r.StatusCode == http.StatusUnauthorized && d.auth != nil && !fresh {
			drain(r)
			continue
		}
		if err := d.take(r, offset); err != nil {
			hangUp()
			return err
		}
		d.hangUp, d.stalled = hangUp, time.AfterFunc(d.c.stall, hangUp)
		d.stalled.Stop() // it runs while a read waits
		return nil
	}
	panic("unreachable")
}

// take looks whether the answer is the file, or its rest.
func (d *download) take(r *http.Response, offset int64) error {
	switch {
	case offset == 0 && r.StatusCode == http.StatusOK:
		encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
		if encoding != "" && encoding != "identity" && encoding != "gzip" {
			r.Body.Close()
			return &Error{Op: d.op, Kind: Invalid, URL: withoutQuery(d.u), Hint: "it is encoded in a way that was not asked for"}
		}
		d.compressed = encoding == "gzip"
		d.length = r.ContentLength
		d.validator = strongValidator(r.Header)
		d.body = r.Body
		return nil
	case offset > 0 && r.StatusCode == http.StatusPartialContent:
		var from int64
		if _, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-", &from); err != nil || from != offset || strongValidator(r.Header) != d.validator {
			r.Body.Close()
			return d.changed()
		}
		d.body = r.Body
		return nil
	case offset > 0 && (r.StatusCode == http.StatusOK || r.StatusCode == http.StatusRequestedRangeNotSatisfiable):
		r.Body.Close()
		return d.changed()
	}
	e := d.c.failed(d.op, d.u, r)
	if r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden {
		e.Kind = Gone // an expired link, as far as one can tell: the manifest is read again
	}
	return e
}

func (d *download) changed() error {
	return &Error{Op: d.op, Kind: Transient, URL: withoutQuery(d.u), Err: ErrChanged}
}

// strongValidator is what tells that a file is the same: a strong ETag, or else
// its last modification.
func strongValidator(h http.Header) string {
	if etag := h.Get("ETag"); etag != "" && !strings.HasPrefix(etag, "W/") {
		return etag
	}
	return h.Get("Last-Modified")
}

// Read goes on over a new connection when one breaks off, or stands still.
func (d *download) Read(p []byte) (int, error) {
	for {
		d.stalled.Reset(d.c.stall)
		n, err := d.body.Read(p)
		d.stalled.Stop()
		d.offset += int64(n)
		if n > 0 || err == nil {
			return n, nil
		}
		if err == io.EOF && (d.length < 0 || d.offset == d.length) {
			return 0, io.EOF
		}
		if d.ctx.Err() != nil {
			return 0, d.ctx.Err()
		}
		d.Close()
		if d.validator == "" || d.resumes >= maxResumes {
			return 0, d.changed()
		}
		d.resumes++
		if err := d.reconnect(); err != nil {
			return 0, err
		}
	}
}

// reconnect asks for the rest, with a pause after a try that failed.
func (d *download) reconnect() error {
	err := d.connect(d.offset)
	for pause := 500 * time.Millisecond; err != nil && d.resumes < maxResumes; pause = min(2*pause, 10*time.Second) {
		var e *Error
		if !errors.As(err, &e) || e.Kind != Transient || errors.Is(err, ErrChanged) {
			break
		}
		select {
		case <-d.ctx.Done():
			return d.ctx.Err()
		case <-time.After(pause):
		}
		d.resumes++
		err = d.connect(d.offset)
	}
	if err != nil {
		d.body = http.NoBody
	}
	return err
}

// Close ends the transfer.
func (d *download) Close() error {
	d.stalled.Stop()
	d.hangUp()
	return d.body.Close()
}

// unzipped is a transfer with its compression undone.
type unzipped struct {
	*gzip.Reader
	under *download
}

// Read does not repeat what the decompressor says of the data.
func (z *unzipped) Read(p []byte) (int, error) {
	n, err := z.Reader.Read(p)
	if err != nil && err != io.EOF {
		var e *Error
		if !errors.As(err, &e) && z.under.ctx.Err() == nil {
			err = &Error{Op: z.under.op, Kind: Transient, URL: withoutQuery(z.under.u), Err: errors.New("its gzip breaks off or is damaged")}
		}
	}
	return n, err
}

func (z *unzipped) Close() error { return errors.Join(z.Reader.Close(), z.under.Close()) }
