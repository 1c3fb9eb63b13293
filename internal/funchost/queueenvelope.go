package funchost

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// errPoison marks a message that the host moves to the poison queue on first
// sight, without an invocation.
var errPoison = errors.New("the message is not base64 while messageEncoding is base64")

// errText: the binding wants text and the bytes are none.
var errText = errors.New("the message is not valid UTF-8 and the binding has no dataType binary")

// decodeMessage undoes the encoding of a message on the queue.
func (c *queueConfig) decodeMessage(text string) ([]byte, error) {
	if !c.base64 {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errPoison
	}
	return body, nil
}

// queueEnvelope is what a queue function is sent for a message.
func queueEnvelope(f *function, m queueMessage, body []byte) (*envelope, error) {
	e := &envelope{binding: f.trigger.Name, head: object{
		{"DequeueCount", scalar(itoa(m.dequeueCount))},
		{"ExpirationTime", offsetTime(m.expires)},
	}}
	if m.id != "" {
		e.head = append(e.head, member{"Id", scalarString(m.id)})
	}
	e.head = append(e.head,
		member{"InsertionTime", offsetTime(m.inserted)},
		member{"NextVisibleTime", offsetTime(m.nextVisible)})
	if m.popReceipt != "" {
		e.head = append(e.head, member{"PopReceipt", scalarString(m.popReceipt)})
	}
	if strings.EqualFold(f.trigger.DataType, "binary") {
		e.data = bytesValue(body)
		return e, nil
	}
	if !utf8.Valid(body) {
		return nil, errText
	}
	e.data = scalarString(string(body))
	e.merged = mergedProperties(body)
	return e, nil
}

// endOfTime is the expiry that the host reports for a message that is on no
// queue.
var endOfTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// adminQueueEnvelope is what a queue function is sent by the admin endpoint.
func adminQueueEnvelope(f *function, input string, now time.Time) (*envelope, error) {
	e, err := queueEnvelope(f, queueMessage{inserted: now.Truncate(time.Second), expires: endOfTime, nextVisible: endOfTime}, []byte(input))
	if err == nil {
		e.head = append(e.head, member{f.trigger.Name, scalarString(input)})
	}
	return e, err
}

// mergedProperties are the top-level properties of a JSON object message, which
// the host lays over the metadata: scalars as text, objects as they are, null
// and arrays not at all.
func mergedProperties(body []byte) object {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var out object
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil
		}
		name, _ := t.(string)
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return nil
		}
		if v, ok := mergedValue(raw); ok {
			out.set(name, v)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil
	}
	return out
}

func mergedValue(raw json.RawMessage) (string, bool) {
	switch raw[0] {
	case 'n', '[':
		return "", false
	case '{':
		var compact bytes.Buffer
		if json.Compact(&compact, raw) != nil {
			return "", false
		}
		return compact.String(), true
	case 't':
		return scalarString("True"), true
	case 'f':
		return scalarString("False"), true
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return "", false
		}
		return scalarString(usDate(s)), true
	}
	return scalarString(string(raw)), true
}

// usDate writes a text that Newtonsoft takes for a date the way .NET prints
// one: month first, in UTC, whole seconds. Other texts stay.
func usDate(s string) string {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format("01/02/2006 15:04:05")
		}
	}
	return s
}
