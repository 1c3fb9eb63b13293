package anonymize

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"fhirdeid/anonymize/policy"
)

// coverUp replaces the first characters of a value.
type coverUp struct{ length int }

func newCoverUp(customSettings, rule json.RawMessage) (Method, error) {
	s := struct{ MaskedLength int }{MaskedLength: 2}
	for _, settings := range []json.RawMessage{customSettings, rule} {
		if settings == nil {
			continue
		}
		if err := json.Unmarshal(settings, &s); err != nil {
			return nil, errors.New("maskedLength is a number")
		}
	}
	return coverUp{s.MaskedLength}, nil
}

func (m coverUp) Apply(e *Element) error {
	runes := []rune(e.Text())
	for i := range min(m.length, len(runes)) {
		runes[i] = '*'
	}
	e.SetText(string(runes))
	e.Record(policy.Encrypt)
	return nil
}

// methodFunc makes a function a Method.
type methodFunc func(e *Element) error

func (f methodFunc) Apply(e *Element) error { return f(e) }

func customEngine(t *testing.T, rules string, methods map[string]NewMethod) *Engine {
	t.Helper()
	var names []string
	for name := range methods {
		names = append(names, name)
	}
	p, err := policy.ParseWith([]byte(rules), policy.ParseOptions{CustomMethods: names})
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(p, Options{AsOf: goldenDate, Methods: methods})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCustomMethod(t *testing.T) {
	seen := make(map[string]string)
	look := methodFunc(func(e *Element) error {
		seen[e.Path()] = e.Type() + " " + e.Text()
		switch e.Text() {
		case "remove":
			e.Remove()
		case "fail":
			return errors.New("it cannot be done")
		case "panic":
			panic("Planted")
		case "True":
			e.Record(policy.Keep) // it has no label
		case "quote":
			e.SetText(` "x" `)
		case "empty":
			e.SetText("")
		}
		return nil
	})
	e := customEngine(t, `{"fhirPathRules":[{"path":"Patient.name","method":"LOOK"},{"path":"Patient.active","method":"look"},{"path":"Patient.telecom","method":"Mask","maskedLength":3}],"parameters":{"customSettings":{"maskedLength":5}}}`,
		map[string]NewMethod{"look": func(_, _ json.RawMessage) (Method, error) { return look, nil }, "mask": newCoverUp})
	for _, c := range []struct{ in, want, reason string }{
		{`{"resourceType":"Patient","active":true,"name":[{"family":"a\u0041","given":["quote","remove","empty"]}]}`, `{"resourceType":"Patient","active":true,"name":[{"family":"aA","given":["\"x\""]}]}`, ""},
		{`{"resourceType":"Patient","telecom":[{"value":"12345"}]}`, `{"resourceType":"Patient","telecom":[{"value":"***45"}],"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"MASKED","display":"masked"}]}}`, ""},
		{`{"resourceType":"Patient","name":[{"family":"fail"}]}`, "", ReasonMethod},
		{`{"resourceType":"Patient","name":[{"family":"panic"}]}`, "", ReasonPanic},
		{`{"resourceType":"Patient","name":[{"_family":{"id":"x"}}]}`, `{"resourceType":"Patient","name":[{"_family":{"id":"x"}}]}`, ""},
	} {
		got, err := e.Resource(nil, []byte(c.in))
		var bad *LineError
		if errors.As(err, &bad) && strings.Contains(bad.Error(), "Planted") {
			t.Errorf("the error quotes: %v", err)
		}
		if string(got) != c.want || c.reason == "" != (err == nil) || bad != nil && bad.Reason != c.reason {
			t.Errorf("%s\n got %s (%v)\nwant %s %s", c.in, got, err, c.want, c.reason)
		}
	}
	for path, want := range map[string]string{"Patient.active": "boolean True", "Patient.name.family.id": "string x"} {
		if seen[path] != want {
			t.Errorf("at %s it saw %q, not %q", path, seen[path], want)
		}
	}
}

// TestCustomMethodErrors: what a method says when it is made, or is not there.
func TestCustomMethodErrors(t *testing.T) {
	p, err := policy.ParseWith([]byte(`{"fhirPathRules":[{"path":"Patient.name","method":"mask","maskedLength":"x"}]}`), policy.ParseOptions{CustomMethods: []string{"mask"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, methods := range []map[string]NewMethod{nil, {"mask": newCoverUp}} {
		var at *policy.Error
		if _, err := Compile(p, Options{AsOf: goldenDate, Methods: methods}); !errors.As(err, &at) || at.Rule != 1 {
			t.Errorf("it gives %v", err)
		}
	}
}

// TestCustomMethodConcurrency: one method is called by several workers at once, and a
// panic in it costs the line alone.
func TestCustomMethodConcurrency(t *testing.T) {
	var mu sync.Mutex
	calls := 0
	e := customEngine(t, `{"fhirPathRules":[{"path":"Patient.name.family","method":"count"}]}`, map[string]NewMethod{
		"count": func(_, _ json.RawMessage) (Method, error) {
			return methodFunc(func(e *Element) error {
				mu.Lock()
				calls++
				mu.Unlock()
				if e.Text() == "7" {
					panic("seven")
				}
				e.SetText(e.Text() + "!")
				return nil
			}), nil
		},
	})
	var in, want bytes.Buffer
	for i := range 200 {
		fmt.Fprintf(&in, `{"resourceType":"Patient","name":[{"family":"%d"}]}`+"\n", i)
		if i != 7 {
			fmt.Fprintf(&want, `{"resourceType":"Patient","name":[{"family":"%d!"}]}`+"\n", i)
		}
	}
	var out bytes.Buffer
	stats, err := e.Stream(context.Background(), &out, &in, StreamOptions{Workers: 4, ChunkBytes: 100, Reject: func(int64, []byte, error) error { return nil }})
	if err != nil || calls != 200 || stats.Reasons[ReasonPanic] != 1 || stats.Methods["custom"] != 199 {
		t.Errorf("%v, %d calls, %+v", err, calls, stats)
	}
	if out.String() != want.String() {
		t.Error("the result is another")
	}
}
