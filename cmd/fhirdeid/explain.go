package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/lint"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/settings"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	version, asOf string
	json, values  bool
}

func explainCommand() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain POLICY PATH|FILE",
		Short: "Say which rule of a policy decides an element, and why",
		Long: `explain says of an element, such as Patient.contact.name.family, which rule decides
it, which others reach it too late, and what happens to it. Of a file (.json, or
.ndjson with one resource a line, perhaps compressed) it lists each value's path, the
rule that decides it, and what becomes of it: kept, changed or removed. It shows no
values unless --values is given, and needs no keys.`,
		Example: `  fhirdeid explain rules.json Patient.birthDate
  fhirdeid explain safe-harbor export/Patient.ndjson`,
		Args: usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readPolicy(args[0], "")
			if err != nil {
				return err
			}
			if isResourceFile(args[1]) {
				return o.file(cmd.OutOrStdout(), p, args[1])
			}
			return o.path(cmd.OutOrStdout(), p, args[1])
		},
	}
	cmd.Flags().StringVar(&o.version, "fhir-version", "R4", "FHIR version, where the policy names none")
	cmd.Flags().StringVar(&o.asOf, "as-of", "", "instant at which ages are counted; default: now")
	cmd.Flags().BoolVar(&o.json, "json", false, "write JSON, an object a line")
	cmd.Flags().BoolVar(&o.values, "values", false, "show the values of the file")
	return cmd
}

// isResourceFile tells a file from a path of elements by its name.
func isResourceFile(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	return strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".ndjson") || strings.ContainsAny(name, `/\`)
}

func (o *explainOptions) path(w io.Writer, p *policy.Policy, path string) error {
	list, err := lint.Explain(p, lint.Options{FHIRVersion: o.version}, path)
	if err != nil {
		return err
	}
	for i := range list {
		if o.json {
			err = writeLine(w, &list[i])
		} else {
			err = list[i].WriteText(w)
		}
		if err != nil {
			return fmt.Errorf("writing the explanation: %w", err)
		}
	}
	return nil
}

func writeLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// explainedValue is a line of the list of a file's values.
type explainedValue struct {
	Line    int               `json:"line"`
	Path    string            `json:"path"`
	Type    string            `json:"type"`
	Rule    int               `json:"rule"`
	Method  string            `json:"method"`
	Outcome anonymize.Outcome `json:"outcome"`
	Value   json.RawMessage   `json:"value,omitempty"`
}

func (o *explainOptions) file(w io.Writer, p *policy.Policy, name string) error {
	asOf := time.Now()
	if o.asOf != "" {
		var err error
		if asOf, err = settings.ParseTime(o.asOf); err != nil {
			return &codeError{exitUsage, fmt.Errorf("--as-of is %w", err)}
		}
	}
	e, err := lint.Engine(p, o.version, asOf)
	if err != nil {
		return fmt.Errorf("compiling the policy: %w", err)
	}
	in, err := openInput(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out := bufio.NewWriter(w)
	bad, err := eachResource(in, strings.Contains(name, ".ndjson"), func(number int, resource []byte) error {
		return o.resource(out, p, e, number, resource)
	})
	if err := errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("explaining %s: %w", name, err)
	}
	if bad > 0 {
		return &codeError{exitBadLines, fmt.Errorf("%d resource(s) of %s could not be processed", bad, name)}
	}
	return nil
}

// eachResource calls do for each line, or once for all. It counts the resources
// that are at fault themselves.
func eachResource(in io.Reader, lines bool, do func(number int, resource []byte) error) (bad int, err error) {
	r := bufio.NewReader(in)
	for number := 1; ; number++ {
		var data []byte
		var end error
		if lines {
			data, end = r.ReadBytes('\n')
		} else if data, end = io.ReadAll(r); end == nil {
			end = io.EOF
		}
		if end != nil && !errors.Is(end, io.EOF) {
			return bad, end
		}
		if text := strings.TrimSpace(string(data)); text != "" {
			err := do(number, []byte(text))
			var fault *anonymize.LineError
			if errors.As(err, &fault) {
				bad++
			} else if err != nil {
				return bad, err
			}
		}
		if end != nil {
			return bad, nil
		}
	}
}

// resource lists the values of one resource.
func (o *explainOptions) resource(w io.Writer, p *policy.Policy, e *anonymize.Engine, number int, resource []byte) error {
	all, err := e.ExplainResource(resource)
	if err != nil {
		if _, failed := fmt.Fprintf(w, "line %d: %v\n", number, err); failed != nil {
			return failed
		}
		return err
	}
	for _, x := range all {
		v := explainedValue{Line: number, Path: x.Path, Type: x.Type.Name, Rule: x.Rule, Method: "none", Outcome: x.Outcome}
		if x.Rule > 0 {
			v.Method = string(p.Rules[x.Rule-1].Method)
		}
		if o.values {
			v.Value = valueAt(resource, x.Path)
		}
		if err := o.value(w, &v); err != nil {
			return err
		}
	}
	return nil
}

func (o *explainOptions) value(w io.Writer, v *explainedValue) error {
	if o.json {
		return writeLine(w, v)
	}
	rule := "no rule"
	if v.Rule > 0 {
		rule = fmt.Sprintf("rule %d", v.Rule)
	}
	_, err := fmt.Fprintf(w, "%d  %-9s  %-8s  %-12s  %s", v.Line, v.Outcome, rule, v.Method, v.Path)
	if err == nil && v.Value != nil {
		_, err = fmt.Fprintf(w, " = %s", v.Value)
	}
	if err == nil {
		_, err = fmt.Fprintln(w)
	}
	return err
}

// valueAt finds the value of a path with places in arrays, nil where it is not
// there.
func valueAt(resource []byte, path string) json.RawMessage {
	value := json.RawMessage(resource)
	for _, step := range strings.Split(path, ".")[1:] {
		key, places, _ := strings.Cut(step, "[")
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil {
			return nil
		}
		value = object[key]
		for places != "" {
			var at string
			at, places, _ = strings.Cut(places, "]")
			places = strings.TrimPrefix(places, "[")
			var n int
			var list []json.RawMessage
			if _, err := fmt.Sscan(at, &n); err != nil || json.Unmarshal(value, &list) != nil || n >= len(list) {
				return nil
			}
			value = list[n]
		}
	}
	return value
}
