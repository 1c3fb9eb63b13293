package anonymize_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
)

const rules = `{
	"fhirVersion": "R4",
	"fhirPathRules": [
		{"path": "Patient.name.where(use = 'official').given", "method": "initial"},
		{"path": "nodesByType('HumanName')", "method": "redact"},
		{"path": "Patient.birthDate", "method": "redact"}
	],
	"parameters": {"enablePartialDatesForRedact": true}
}`

// initial is a method of the program's own: of a name the first letter stays.
type initial struct{}

func (initial) Apply(e *anonymize.Element) error {
	e.SetText(e.Text()[:1] + ".")
	return nil
}

func engine() *anonymize.Engine {
	p, err := policy.ParseWith([]byte(rules), policy.ParseOptions{CustomMethods: []string{"initial"}})
	if err != nil {
		log.Fatal(err)
	}
	e, err := anonymize.Compile(p, anonymize.Options{
		AsOf: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		Methods: map[string]anonymize.NewMethod{
			"initial": func(customSettings, rule json.RawMessage) (anonymize.Method, error) { return initial{}, nil },
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

func ExampleEngine_Resource() {
	out, err := engine().Resource(nil, []byte(`{"resourceType":"Patient","name":[{"use":"official","family":"Smith","given":["Jane"]}],"birthDate":"1980-02-03"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", out)
	// Output:
	// {"resourceType":"Patient","name":[{"given":["J."]}],"birthDate":"1980","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"REDACTED","display":"redacted"}]}}
}

func ExampleEngine_Stream() {
	in := strings.NewReader(`{"resourceType":"Organization","name":"Clinic"}
{"resourceType":"Patient","birthDate":"in the spring of 1980"}
`)
	stats, err := engine().Stream(context.Background(), os.Stdout, in, anonymize.StreamOptions{
		Reject: func(line int64, in []byte, err error) error {
			fmt.Println(err) // in is the line; the error has nothing of it
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d lines, %d written, %d refused\n", stats.Lines, stats.Written, stats.Rejected)
	// Output:
	// line 2: Patient.birthDate: its value is no date
	// {"resourceType":"Organization","name":"Clinic"}
	// 2 lines, 1 written, 1 refused
}
