package bulkdata

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"
)

// Manifest is what a complete export has to offer.
type Manifest struct {
	// TransactionTime is the server's instant of the export: the next export's
	// Since.
	TransactionTime time.Time
	// RequiresAccessToken is whether the token goes with each file: obeyed both
	// ways.
	RequiresAccessToken bool
	Output              []Output
	// Deleted are Bundles of DELETE entries, Error OperationOutcomes.
	Deleted, Error []Output
}

// Output is one file.
type Output struct {
	Type string
	URL  string
	// Count is the number of resources, nil where the server does not say.
	Count *int64
}

// Bounds on what a server may send.
const (
	maxManifest = 512 << 20
	maxEntries  = 2_000_000
)

// manifestError is a fault of the manifest itself: another try reads the same.
type manifestError struct{ text string }

func (e *manifestError) Error() string { return e.text }

func badManifest(format string, args ...any) error {
	return &manifestError{fmt.Sprintf(format, args...)}
}

// readManifest reads a manifest as it streams. Members it does not know are
// fine; URLs may be relative to where the manifest was read.
func readManifest(body io.Reader, at *url.URL) (*Manifest, error) {
	d := json.NewDecoder(io.LimitReader(body, maxManifest))
	m := new(Manifest)
	var haveTime, haveToken, haveOutput bool
	if err := expectDelim(d, '{'); err != nil {
		return nil, err
	}
	for d.More() {
		key, err := token(d)
		if err != nil {
			return nil, err
		}
		switch key {
		case "transactionTime":
			var s string
			if err := value(d, &s, "transactionTime"); err != nil {
				return nil, err
			}
			if m.TransactionTime, err = time.Parse(time.RFC3339Nano, s); err != nil {
				return nil, badManifest("the manifest's transactionTime is no instant")
			}
			haveTime = true
		case "requiresAccessToken":
			if err := value(d, &m.RequiresAccessToken, "requiresAccessToken"); err != nil {
				return nil, err
			}
			haveToken = true
		case "output":
			haveOutput = true
			err = readOutputs(d, &m.Output, "output", at)
		case "deleted":
			err = readOutputs(d, &m.Deleted, "deleted", at)
		case "error":
			err = readOutputs(d, &m.Error, "error", at)
		case "link":
			var links []struct {
				Relation string `json:"relation"`
			}
			if err := value(d, &links, "link"); err != nil {
				return nil, err
			}
			for _, l := range links {
				if l.Relation == "next" {
					return nil, badManifest("the manifest goes on in another (link next), which was not asked for")
				}
			}
		default:
			var skipped json.RawMessage
			err = value(d, &skipped, "a member")
		}
		if err != nil {
			return nil, err
		}
	}
	if err := expectDelim(d, '}'); err != nil {
		return nil, err
	}
	if !haveTime || !haveToken || !haveOutput {
		return nil, badManifest("the manifest lacks one of transactionTime, requiresAccessToken and output")
	}
	return m, nil
}

func readOutputs(d *json.Decoder, into *[]Output, list string, at *url.URL) error {
	t, err := d.Token()
	if err != nil {
		return decodeError(err)
	}
	if t == nil {
		return nil // null
	}
	if t != json.Delim('[') {
		return badManifest("the manifest's member %q is no array", list)
	}
	for d.More() {
		var o struct {
			Type  string `json:"type"`
			URL   string `json:"url"`
			Count *int64 `json:"count"`
		}
		if err := value(d, &o, list); err != nil {
			return err
		}
		u, err := url.Parse(o.URL)
		if err != nil || o.URL == "" {
			return badManifest("entry %d of the manifest's member %q has no URL that can be read", len(*into), list)
		}
		if o.Count != nil && *o.Count < 0 {
			return badManifest("entry %d of the manifest's member %q has a negative count", len(*into), list)
		}
		if o.Type == "" && list != "output" {
			o.Type = "Bundle" // not asked for there by some servers
			if list == "error" {
				o.Type = "OperationOutcome"
			}
		}
		*into = append(*into, Output{Type: o.Type, URL: at.ResolveReference(u).String(), Count: o.Count})
		if len(*into) > maxEntries {
			return badManifest("the manifest has more than %d entries", maxEntries)
		}
	}
	return expectDelim(d, ']')
}

func token(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", decodeError(err)
	}
	s, _ := t.(string)
	return s, nil
}

func expectDelim(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return decodeError(err)
	}
	if t != want {
		return badManifest("the manifest is no JSON object as FHIR Bulk Data describes it")
	}
	return nil
}

func value(d *json.Decoder, into any, what string) error {
	err := d.Decode(into)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return badManifest("%s of the manifest has the wrong JSON type", what)
	}
	if err != nil {
		return decodeError(err)
	}
	return nil
}

// decodeError tells a broken stream, which may be whole the next time, from
// JSON that is none. The decoder's own words may quote the input.
func decodeError(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return badManifest("the manifest is not JSON, at byte %d", syntax.Offset)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return netError(err)
}
