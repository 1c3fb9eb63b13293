package handlers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxEnvelope bounds what the host may send. A reference is about 2 KiB, a
// queue message at most 64 KiB before its encoding.
const maxEnvelope = 1 << 20

// errTooLarge names the one known cause of a large body.
var errTooLarge = fmt.Errorf("the host sent more than %d bytes: it is sending a blob's content instead of a reference. "+
	"The blob function must have one binding only, with properties.supportsDeferredBinding true; see functions/AnonymizeFile/function.json", maxEnvelope)

// envelope is what the host posts.
type envelope struct {
	Data     map[string]json.RawMessage `json:"Data"`
	Metadata map[string]json.RawMessage `json:"Metadata"`
}

// readEnvelope reads a bounded body, with or without a length.
func readEnvelope(body io.Reader) (*envelope, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxEnvelope+1))
	if err != nil {
		return nil, fmt.Errorf("reading what the host sent: %w", err)
	}
	if len(data) > maxEnvelope {
		return nil, errTooLarge
	}
	e := new(envelope)
	if json.Unmarshal(data, e) != nil { // its error quotes the input
		return nil, errors.New("the host sent something that is no envelope of Data and Metadata")
	}
	return e, nil
}

// message is the body of a queue message. With "dataType": "binary" the host
// sends it in base64 once.
func (e *envelope) message(binding string) ([]byte, error) {
	var text string
	if json.Unmarshal(e.Data[binding], &text) != nil {
		return nil, fmt.Errorf("the host sent no message under Data.%s", binding)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the host sent a message that is not base64 under Data.%s; the queue binding needs \"dataType\": \"binary\"", binding)
	}
	return data, nil
}

// redelivered reports whether the host delivers the message again.
func (e *envelope) redelivered() bool {
	n, err := strconv.Atoi(text(e.Metadata["DequeueCount"]))
	return err == nil && n > 1
}

// text is the text of a metadata value: a string, a number, or JSON in a
// string, however many times it was wrapped.
func text(raw json.RawMessage) string {
	s := strings.TrimSpace(string(raw))
	for range 3 {
		var inner string
		if !strings.HasPrefix(s, `"`) || json.Unmarshal([]byte(s), &inner) != nil {
			return s
		}
		s = inner
	}
	return s
}
