package anonymize

import (
	"fmt"
	"regexp"
	"testing"

	"fhirdeid/anonymize/policy"
)

var labelPattern = regexp.MustCompile(`,?"meta":\{"security":\[[^\]]*\]\}`)

// TestDifferences runs every row in both ways.
func TestDifferences(t *testing.T) {
	for _, d := range Differences() {
		t.Run(d.Name, func(t *testing.T) {
			if d.Microsoft == "" || d.Here == "" {
				t.Error("it does not say what differs")
			}
			if d.Always && d.Exact != "" {
				t.Error("there is no result of Microsoft's tool where it ends")
			}
			exact := d.Exact
			if d.Always {
				exact = d.Default
			} else if d.Exact == d.Default {
				t.Error("there is no difference")
			}
			for _, way := range []struct {
				compat policy.Compat
				want   string
			}{{"", d.Default}, {policy.CompatMicrosoft, exact}} {
				parameters := d.Parameters
				if parameters == "" {
					parameters = "{}"
				}
				got := ""
				p, err := policy.ParseWith(fmt.Appendf(nil, `{"fhirVersion":"R4","fhirPathRules":[%s],"parameters":%s}`, d.Rules, parameters), policy.ParseOptions{Compat: way.compat})
				if err == nil {
					var e *Engine
					if e, err = Compile(p, Options{AsOf: goldenDate}); err != nil {
						t.Fatal(err)
					}
					var out []byte
					if out, err = e.Resource(nil, []byte(d.Input)); err == nil {
						got = string(labelPattern.ReplaceAll(out, nil))
					}
				}
				if got != way.want {
					t.Errorf("compat %q gives\n     %s (%v)\nwant %s", way.compat, got, err, way.want)
				}
			}
		})
	}
}
