package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
)

// previewed is one resource before and after.
type previewed struct {
	Number   int
	Type     string
	Elements []previewElement
	// Gone says that the policy drops the resource whole.
	Gone bool
	// Fault is why the resource could not be processed.
	Fault string
	// Verified says that the verifier of the claim has looked; Findings is what it
	// found.
	Verified bool
	Findings []string

	out []byte
}

// previewElement is one value before and after, each as JSON or "".
type previewElement struct {
	Mark          string // of previewMarks
	Path          string
	Before, After string
	// Rule says which rule decided.
	Rule string
}

// The marks.
const (
	markKept    = "="
	markChanged = "~"
	markDropped = "-"
	markAdded   = "+"
)

// previewOf de-identifies a resource and puts what came of each value beside it.
// The error is a *anonymize.LineError.
func previewOf(e *anonymize.Engine, resource []byte) (p previewed, err error) {
	if p.out, err = e.Resource(nil, resource); err != nil {
		return p, err
	}
	explained, err := e.ExplainResource(resource)
	if err != nil {
		return p, err
	}
	p.Gone = len(p.out) == 0
	before, after := leavesOf(resource), leavesOf(p.out)
	if len(explained) > 0 {
		p.Type, _, _ = strings.Cut(explained[0].Path, ".")
	}
	p.pair(e.Policy(), explained, before, after)
	return p, nil
}

// pair finds for each value what it has become. Values of the same path keep their
// order, though places in arrays move up when others are dropped.
func (p *previewed) pair(rules *policy.Policy, explained []anonymize.Explained, before, after []leaf) {
	values := make(map[string]string, len(before))
	for _, l := range before {
		values[l.path] = l.value
	}
	left := make(map[string][]leaf)
	for _, l := range after {
		left[l.plain()] = append(left[l.plain()], l)
	}
	expected := make(map[string]int) // how many values of a path are still to come
	for _, x := range explained {
		if x.Outcome != anonymize.Removed {
			expected[plainPath(x.Path)]++
		}
	}
	for _, x := range explained {
		el := previewElement{Mark: markDropped, Path: x.Path, Before: values[x.Path], Rule: ruleOf(rules, x.Rule)}
		plain := plainPath(x.Path)
		if x.Outcome != anonymize.Removed {
			next := left[plain]
			// Fewer than expected: some went with an element that cannot be
			// without what it has lost.
			lost := len(next) < expected[plain]
			if len(next) > 0 && !(lost && x.Outcome == anonymize.Kept && next[0].value != el.Before) {
				el.After, left[plain] = next[0].value, next[1:]
				el.Mark = markChanged
				if el.After == el.Before || x.Outcome == anonymize.Kept {
					el.Mark = markKept
				}
			}
			expected[plain]--
		}
		p.Elements = append(p.Elements, el)
	}
	for _, l := range after {
		if rest := left[l.plain()]; len(rest) > 0 && rest[0] == l {
			left[l.plain()] = rest[1:]
			p.Elements = append(p.Elements, previewElement{Mark: markAdded, Path: l.path, After: l.value, Rule: "put in"})
		}
	}
}

func ruleOf(p *policy.Policy, number int) string {
	if number == 0 {
		if p.Mode == policy.Strict {
			return "no rule: dropped"
		}
		return "no rule: kept"
	}
	r := &p.Rules[number-1]
	method := string(r.Method)
	if r.Custom != "" {
		method = r.Custom
	}
	return strconv.Itoa(number) + " " + method + " " + r.Path
}

// leaf is a value of a resource, with its path by places in arrays.
type leaf struct{ path, value string }

func (l leaf) plain() string { return plainPath(l.path) }

// plainPath is a path without places in arrays.
func plainPath(path string) string {
	var b strings.Builder
	for {
		before, rest, in := strings.Cut(path, "[")
		b.WriteString(before)
		if !in {
			return b.String()
		}
		_, path, _ = strings.Cut(rest, "]")
	}
}

// leavesOf lists the values of a resource in their order. A primitive's "_x" has
// the path of the primitive.
func leavesOf(resource []byte) []leaf {
	var root struct {
		Type string `json:"resourceType"`
	}
	_ = json.Unmarshal(resource, &root) // the engine has the last word on what is no JSON
	d := json.NewDecoder(bytes.NewReader(resource))
	d.UseNumber()
	w := leafWalk{d: d}
	w.value(root.Type)
	return w.all
}

type leafWalk struct {
	d   *json.Decoder
	all []leaf
}

// value reads the next value. What is no JSON ends the list.
func (w *leafWalk) value(path string) {
	t, err := w.d.Token()
	if err != nil {
		return
	}
	switch t {
	case json.Delim('{'):
		for w.d.More() {
			key, err := w.d.Token()
			name, ok := key.(string)
			if err != nil || !ok {
				return
			}
			if name == "resourceType" {
				_, _ = w.d.Token()
				continue
			}
			w.value(path + "." + strings.TrimPrefix(name, "_"))
		}
		_, _ = w.d.Token()
	case json.Delim('['):
		for i := 0; w.d.More(); i++ {
			w.value(path + "[" + strconv.Itoa(i) + "]")
		}
		_, _ = w.d.Token()
	case nil:
	default:
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if e.Encode(t) == nil {
			w.all = append(w.all, leaf{path, strings.TrimSpace(b.String())})
		}
	}
}
