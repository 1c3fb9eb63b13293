package policy

import (
	"slices"
	"strings"
	"testing"
)

func TestRisk(t *testing.T) {
	for name, c := range map[string]struct {
		risk string
		want Risk
	}{
		"nothing said":      {`null`, DefaultRisk()},
		"an empty one":      {`{}`, DefaultRisk()},
		"names in any case": {`{"quasiIdentifiers":["BIRTHYEAR","zip3"]}`, Risk{[]string{"birthYear", "zip3"}, 11, 0}},
		"a path":            {`{"quasiIdentifiers":["sex","Patient.maritalStatus.coding.code"],"k":5,"minimumCell":3}`, Risk{[]string{"sex", "Patient.maritalStatus.coding.code"}, 5, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse([]byte(`{"mode":"strict","fhirPathRules":[],"risk":` + c.risk + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Risk.QuasiIdentifiers, c.want.QuasiIdentifiers) || p.Risk.K != c.want.K || p.Risk.MinimumCell != c.want.MinimumCell {
				t.Errorf("%+v, want %+v", p.Risk, c.want)
			}
		})
	}
}

func TestRiskRefuses(t *testing.T) {
	for name, c := range map[string]struct{ risk, says string }{
		"no object":         {`[]`, "object"},
		"an unknown member": {`{"minimumcel":1}`, `did you mean "minimumCell"?`},
		"no list":           {`{"quasiIdentifiers":"sex"}`, "list"},
		"none":              {`{"quasiIdentifiers":[]}`, "1 to 16"},
		"a number":          {`{"quasiIdentifiers":[1]}`, "texts"},
		"a slip":            {`{"quasiIdentifiers":["birthyeer"]}`, `did you mean "birthYear"?`},
		"an expression":     {`{"quasiIdentifiers":["Patient.name.where(true)"]}`, "element path"},
		"another resource":  {`{"quasiIdentifiers":["Person.gender"]}`, "element path"},
		"twice":             {`{"quasiIdentifiers":["sex","Sex"]}`, "twice"},
		"k of one":          {`{"k":1}`, "from 2"},
		"k as a text":       {`{"k":"11"}`, "whole number"},
		"a fraction":        {`{"minimumCell":1.5}`, "whole number"},
		"below nothing":     {`{"minimumCell":-1}`, "from 0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte("{\"mode\":\"strict\",\"fhirPathRules\":[],\n\"risk\":" + c.risk + "}"))
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "line 2") {
				t.Errorf("the error is %v, want one that says %q", err, c.says)
			}
		})
	}
}
