package fhirpath

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// jsonValue is a JSON value with the order of its members.
type jsonValue struct {
	// kind is { [ " 0 t n: object, array, string, number, boolean, null.
	kind    byte
	text    []byte // of a string without quotes and escapes, else as it is
	raw     json.RawMessage
	members []jsonMember
	items   []jsonValue
	// byName finds a member in objects with many; the last wins.
	byName map[string]int
}

// fewMembers can be looked through.
const fewMembers = 16

type jsonMember struct {
	name  string
	value jsonValue
}

// maxJSONDepth is how deep JSON may be nested.
const maxJSONDepth = 1000

var (
	errJSON  = errors.New("the input is not valid JSON")
	errDepth = errors.New("the input is nested too deep")
)

// readJSON reads one value.
func readJSON(data []byte) (*jsonValue, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !json.Valid(data) {
		return nil, errJSON
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	r := jsonReader{d: d, data: data}
	var v jsonValue
	if err := r.value(&v, 0); err != nil {
		return nil, err
	}
	return &v, nil
}

type jsonReader struct {
	d    *json.Decoder
	data []byte
}

func (r *jsonReader) value(v *jsonValue, depth int) error {
	if depth > maxJSONDepth {
		return errDepth
	}
	token, err := r.d.Token()
	if err != nil {
		return jsonError(err)
	}
	end := r.d.InputOffset()
	switch token := token.(type) {
	case json.Delim:
		v.kind = byte(token)
		start := end - 1
		for r.d.More() {
			if v.kind == '{' {
				name, err := r.d.Token()
				if err != nil {
					return jsonError(err)
				}
				text, _ := name.(string)
				v.members = append(v.members, jsonMember{name: text})
				if err := r.value(&v.members[len(v.members)-1].value, depth+1); err != nil {
					return err
				}
				continue
			}
			v.items = append(v.items, jsonValue{})
			if err := r.value(&v.items[len(v.items)-1], depth+1); err != nil {
				return err
			}
		}
		if _, err := r.d.Token(); err != nil {
			return jsonError(err)
		}
		v.raw = r.data[start:r.d.InputOffset()]
		if len(v.members) > fewMembers {
			v.byName = make(map[string]int, len(v.members))
			for i := range v.members {
				v.byName[v.members[i].name] = i
			}
		}
	case string:
		v.kind, v.text = '"', []byte(token)
		v.raw = json.RawMessage(quoted(token))
	case json.Number:
		v.kind, v.text = '0', []byte(token)
		v.raw = v.text
	case bool:
		v.kind, v.text = 't', []byte("false")
		if token {
			v.text = []byte("true")
		}
		v.raw = v.text
	default:
		v.kind = 'n'
	}
	return nil
}

// jsonError drops the message, which may quote the input.
func jsonError(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return errJSON
}

// member is the last member with a name, or nil.
func (v *jsonValue) member(name string) *jsonValue {
	if v.byName != nil {
		if i, ok := v.byName[name]; ok {
			return &v.members[i].value
		}
		return nil
	}
	for i := len(v.members) - 1; i >= 0; i-- {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

// The rest takes nil for a value that is not there.

func (v *jsonValue) isArray() bool { return v != nil && v.kind == '[' }

func (v *jsonValue) length() int {
	switch {
	case v == nil:
		return 0
	case v.kind == '[':
		return len(v.items)
	}
	return 1
}

// item is the item of an array; what is no array is its own first item.
func (v *jsonValue) item(i int) *jsonValue {
	switch {
	case v == nil, v.kind == '[' && i >= len(v.items), v.kind != '[' && i > 0:
		return nil
	case v.kind != '[':
		return v
	}
	return &v.items[i]
}

func (v *jsonValue) notNull() *jsonValue {
	if v == nil || v.kind == 'n' {
		return nil
	}
	return v
}
