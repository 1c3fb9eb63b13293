package risk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Reader reads quasi-identifiers from resources. It is safe for concurrent use.
type Reader struct {
	parts []part
}

// part finds the values of one quasi-identifier.
type part func(patient map[string]any) []string

// usCore is where the extensions of US Core are defined.
const usCore = "http://hl7.org/fhir/us/core/StructureDefinition/"

// named are the quasi-identifiers that have a name; policy.QuasiIdentifierNames
// lists the same.
var named = map[string]part{
	"birthYear": cut([]string{"birthDate"}, 4),
	"sex":       cut([]string{"gender"}, 0),
	"zip3":      cut([]string{"address", "postalCode"}, 3),
	"state":     cut([]string{"address", "state"}, 0),
	"race":      extension(usCore + "us-core-race"),
	"ethnicity": extension(usCore + "us-core-ethnicity"),
	"birthSex":  extension(usCore + "us-core-birthsex"),
}

// NewReader makes a reader of names, or of element paths of Patient by JSON
// members. The error is what is neither.
func NewReader(names []string) (*Reader, error) {
	r := new(Reader)
	for _, name := range names {
		p := named[name]
		if p == nil {
			steps := strings.Split(name, ".")
			if steps[0] != "Patient" || len(steps) == 1 {
				return nil, fmt.Errorf("the quasi-identifier %q is neither a name nor an element path of Patient", name)
			}
			p = cut(steps[1:], 0)
		}
		r.parts = append(r.parts, p)
	}
	return r, nil
}

// patientHead is how the engine begins a Patient, in every mode.
var patientHead = []byte(`{"resourceType":"Patient"`)

// Read returns the cell of a de-identified line and what tells the patient from
// others; ok is false where the line is no Patient.
func (r *Reader) Read(line []byte) (cell []string, id string, ok bool) {
	if !bytes.HasPrefix(line, patientHead) {
		return nil, "", false
	}
	var patient map[string]any
	if json.Unmarshal(line, &patient) != nil {
		return nil, "", false
	}
	cell = make([]string, len(r.parts))
	for i, p := range r.parts {
		values := p(patient)
		slices.Sort(values)
		cell[i] = strings.Join(slices.Compact(values), "|")
	}
	id, _ = patient["id"].(string)
	return cell, id, true
}

// cut finds the texts at members below a patient, and leaves the first digits of
// each where there is a limit: of a whole date the year is what counts here.
func cut(steps []string, limit int) part {
	return func(patient map[string]any) []string {
		values := collect(nil, patient, steps)
		if limit > 0 {
			for i, v := range values {
				values[i] = v[:min(len(v), limit)]
			}
		}
		return values
	}
}

// collect goes down the members and through arrays.
func collect(values []string, at any, steps []string) []string {
	switch at := at.(type) {
	case []any:
		for _, item := range at {
			values = collect(values, item, steps)
		}
	case map[string]any:
		if len(steps) > 0 {
			values = collect(values, at[steps[0]], steps[1:])
		}
	case string:
		if len(steps) == 0 {
			values = append(values, at)
		}
	case bool, float64:
		if len(steps) == 0 {
			values = append(values, fmt.Sprint(at))
		}
	}
	return values
}

// extension finds the codes of an extension of the patient, however deep.
func extension(url string) part {
	return func(patient map[string]any) []string {
		list, _ := patient["extension"].([]any)
		var values []string
		for _, item := range list {
			if e, ok := item.(map[string]any); ok && e["url"] == url {
				values = codes(values, e)
			}
		}
		return values
	}
}

func codes(values []string, extension map[string]any) []string {
	for _, steps := range [][]string{{"valueCode"}, {"valueCoding", "code"}, {"valueCodeableConcept", "coding", "code"}} {
		values = collect(values, extension, steps)
	}
	list, _ := extension["extension"].([]any)
	for _, item := range list {
		if e, ok := item.(map[string]any); ok {
			values = codes(values, e)
		}
	}
	return values
}
