package funchost

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// queueMessages turns a value of Outputs (or ReturnValue) into the messages a
// queue output binding sends, each as bytes before the queue's own encoding.
//
// The forms are the host's: text that happens to be base64 is decoded, JSON is
// written again with indentation, an array gives one message per element, and
// null, "" and [] give none.
func queueMessages(value json.RawMessage) [][]byte {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return nil
	}
	switch value[0] {
	case '[':
		var items []json.RawMessage
		if json.Unmarshal(value, &items) != nil {
			return nil
		}
		var out [][]byte
		for _, item := range items {
			if m := queueText(item); m != nil {
				out = append(out, m)
			}
		}
		return out
	case '"':
		var s string
		if json.Unmarshal(value, &s) != nil || s == "" {
			return nil
		}
		if decoded, err := base64.StdEncoding.DecodeString(s); err == nil {
			return [][]byte{decoded}
		}
		if trimmed := strings.TrimSpace(s); json.Valid([]byte(trimmed)) && (trimmed[0] == '{' || trimmed[0] == '[') {
			return queueMessages(json.RawMessage(trimmed))
		}
		return [][]byte{[]byte(s)}
	}
	if m := queueText(value); m != nil {
		return [][]byte{m}
	}
	return nil
}

// queueText is one JSON value as the text of a message; nil for none.
func queueText(value json.RawMessage) []byte {
	value = bytes.TrimSpace(value)
	switch value[0] {
	case 'n':
		return nil
	case 't':
		return []byte("True")
	case 'f':
		return []byte("False")
	case '"':
		var s string
		if json.Unmarshal(value, &s) != nil || s == "" {
			return nil
		}
		return []byte(s)
	case '{', '[':
		var b bytes.Buffer
		if json.Indent(&b, value, "", "  ") != nil {
			return nil
		}
		return b.Bytes()
	}
	return value
}

// encodeMessage puts a message into the form it has on the queue.
func (c *queueConfig) encodeMessage(body []byte) string {
	if c.base64 {
		return base64.StdEncoding.EncodeToString(body)
	}
	return string(body)
}

// sendOutputs carries out the queue output bindings of a function. Names that
// no binding has are ignored, as the host ignores them.
func (h *Host) sendOutputs(ctx context.Context, f *function, r *result) error {
	for i := range f.outputs {
		out := &f.outputs[i]
		value := r.returnValue
		if out.Name != "$return" {
			value = lookupFold(r.outputs, out.Name)
		}
		if !out.is("queue") {
			if len(value) > 0 && string(value) != "null" {
				return fmt.Errorf("the stand-in host has no output of type %s", out.Type)
			}
			continue
		}
		messages := queueMessages(value)
		if len(messages) == 0 {
			continue
		}
		q, err := h.accounts.queue(out.Connection, out.QueueName)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := q.put(ctx, h.config.queues.encodeMessage(m)); err != nil {
				return fmt.Errorf("output %s: %w", out.Name, err)
			}
		}
		h.wakeQueue(out.Connection, out.QueueName)
	}
	return nil
}

func lookupFold(m map[string]json.RawMessage, name string) json.RawMessage {
	if v, ok := m[name]; ok {
		return v
	}
	for key, v := range m {
		if strings.EqualFold(key, name) {
			return v
		}
	}
	return nil
}
