package fhirpath

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
)

func load(t *testing.T, v fhirmodel.Version) *fhirmodel.Model {
	m, err := fhirmodel.Load(v)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// describe lists the types of the results, or what else there is.
func describe(x *Typing) string {
	var names []string
	for _, p := range x.Results {
		if !slices.Contains(names, p.Type.Name) {
			names = append(names, p.Type.Name)
		}
	}
	slices.Sort(names)
	if len(names) > 4 {
		names = []string{"many"}
	}
	if x.Values {
		names = append(names, "value")
	}
	if x.Unknown {
		names = append(names, "unknown")
	}
	for _, r := range x.Remarks {
		names = append(names, fmt.Sprintf("%d@%d:%s>%s", r.Kind, r.Position, r.Name, r.Nearest))
	}
	return strings.Join(names, " ")
}

func TestInfer(t *testing.T) {
	r4 := load(t, fhirmodel.R4)
	for _, c := range []struct{ context, expression, want string }{
		{"Patient", "name.family", "string"},
		{"Patient", "Patient.name.family", "string"},
		{"Patient", "Group.name", fmt.Sprintf("%d@0:Group>", NoElement)},
		{"HealthcareService", "notAvaliable.description", fmt.Sprintf("%d@0:notAvaliable>notAvailable", NoElement)},
		{"Observation", "value", "many"},
		{"Observation", "valueQuantity", fmt.Sprintf("%d@0:valueQuantity>value", NoElement)},
		{"Observation", "value as Element", fmt.Sprintf("%d@6:Element>", NoType)},
		{"Observation", "value as Quantity", "Quantity"},
		{"Observation", "(value as Quantity).value", "decimal"},
		{"Observation", "value.ofType(Age)", fmt.Sprintf("%d@6:Age>", NoType)},
		{"Observation", "value as Quantty", fmt.Sprintf("%d@6:Quantty>Quantity", NoType)},
		{"Condition", "onset | Condition.abatement as Age", fmt.Sprintf("Age %d@6:|>", UnionOfNodes)},
		{"Bundle", "entry.resource.where(id = 'x').birthDate", "date"},
		{"Patient", "contained.birthDate", "date"},
		{"Parameters", "parameter.part.value as HumanName", "HumanName"},
		{"Patient", "extension.extension.value as Address", "Address"},
		{"Patient", "birthDate.extension('http://x').value", "many"},
		{"Patient", "name.given.extension", "Extension"},
		{"Patient", "name.where(usse = 'official').family", fmt.Sprintf("%d@5:where> %d@11:usse>use", NeverTrue, NoElement)},
		{"Patient", "name.where(usse.exists().not()).family", fmt.Sprintf("string %d@11:usse>use", NoElement)},
		{"Patient", "name.where(usse.empty() and use.exists()).family", fmt.Sprintf("string %d@11:usse>use", NoElement)},
		{"Patient", "name.where(usse = 'x' or use = 'usual').family", fmt.Sprintf("string %d@11:usse>use", NoElement)},
		{"Patient", "name.where($this is HumanName).family", "string"},
		{"Patient", "name.where($this is Address).family", fmt.Sprintf("%d@5:where>", NeverTrue)},
		{"Patient", "name.where(false).family", fmt.Sprintf("%d@5:where>", NeverTrue)},
		{"Patient", "nodesByType('HumanName').family", "string"},
		{"Patient", "nodesByType('HumanNames')", fmt.Sprintf("%d@0:HumanNames>HumanName", NoType)},
		{"Patient", "nodesByName('familly')", fmt.Sprintf("%d@0:familly>family", NoElement)},
		{"Patient", "nodesByName('contained')", fmt.Sprintf("%d@0:contained>", NoElement)},
		{"Patient", "descendants().ofType(Money)", "Money"},
		{"Patient", "name.select(given | family)", fmt.Sprintf("string %d@18:|>", UnionOfNodes)},
		{"Patient", "iif(active, name, contact.name).given", "string"},
		{"Patient", "name.count()", "value"},
		{"Patient", "name.given.first()", "string"},
		{"Patient", "name[0].given[1]", "string"},
		{"QuestionnaireResponse", "repeat(item).linkId", "string"},
		{"QuestionnaireResponse", "repeat(item | answer).value.ofType(Coding)", fmt.Sprintf("Coding %d@12:|>", UnionOfNodes)},
		{"Patient", "name.where(family.startsWith('x'))", fmt.Sprintf("HumanName %d@18:startsWith>", TextOfNode)},
		{"Patient", "where(birthDate > 5)", fmt.Sprintf("Patient %d@16:>>", Incomparable)},
		{"Patient", "where(birthDate > @2000).name", "HumanName"},
		{"Patient", "defineVariable('n', name).select(%n.family)", "string"},
		{"Patient", "%resource.name", "HumanName"},
		{"Patient", "aggregate($total | $this.name, {})", fmt.Sprintf("HumanName %d@17:|>", UnionOfNodes)},
		{"Patient", "{}", ""},
		{"Patient", "name.exclude(name).use", "code"},
		{"Patient", "name.trace('x').use", "code"},
		{"Patient", "frob(1)", "unknown"},
	} {
		x, err := Parse(c.expression, Rules)
		if err != nil {
			if c.want != "unknown" {
				t.Errorf("%s: %v", c.expression, err)
			}
			continue
		}
		typing := Infer(x, r4, r4.Type(c.context))
		if got := describe(typing); got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.expression, c.context, got, c.want)
		}
	}
}

// TestInferSpecification: what FHIRPath reads otherwise than rule files.
func TestInferSpecification(t *testing.T) {
	r4 := load(t, fhirmodel.R4)
	for expression, want := range map[string]string{
		"valueQuantity":          "Quantity",
		"value.ofType(Element)":  "many",
		"DomainResource.code":    "CodeableConcept",
		"value | effective as X": fmt.Sprintf("many %d@6:|> %d@18:X>", UnionOfNodes, NoType),
	} {
		x, err := Parse(expression, Specification)
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(Infer(x, r4, r4.Type("Observation"))); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}

func TestInferBare(t *testing.T) {
	r4 := load(t, fhirmodel.R4)
	for expression, want := range map[string]bool{
		"name.given.first()":                        true,
		"name.given[0]":                             false,
		"name.first().given":                        false,
		"name.select(given.last())":                 true,
		"name.where(given.first() = 'x').given":     false,
		"iif(active, name.family.single(), gender)": true,
	} {
		x, err := Parse(expression, Rules)
		if err != nil {
			t.Fatal(err)
		}
		bare := slices.ContainsFunc(Infer(x, r4, r4.Type("Patient")).Results, func(p Possible) bool { return p.Bare && p.Type.Kind.Primitive() })
		if bare != want {
			t.Errorf("%s: bare is %v", expression, bare)
		}
	}
}

func TestInferLookup(t *testing.T) {
	r4, stu3 := load(t, fhirmodel.R4), load(t, fhirmodel.STU3)
	for _, c := range []struct {
		m          *fhirmodel.Model
		byType     bool
		of, suffix string
		want       string
	}{
		{r4, true, "HumanName", "use", "code"},
		{r4, true, "HumanName", "usee", fmt.Sprintf("%d@0:usee>use", NoElement)},
		{r4, true, "Expression", "", "Expression"},
		{stu3, true, "Expression", "", fmt.Sprintf("%d@0:Expression>", NoType)},
		{r4, true, "Patient", "", "Patient"},
		{r4, false, "contained", "", "many"},
	} {
		got := describe(InferLookup(c.m, Rules, c.byType, c.of, c.suffix, c.m.ResourceTypes()...))
		if got != c.want {
			t.Errorf("%s.%s: %q, want %q", c.of, c.suffix, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{
		"notAvaliable": "notAvailable", "faimly": "family", "Name": "name", "x": "", "ProductionSpecification": "productionSpecification",
		strings.Repeat("y", 100): "",
	} {
		if got := Nearest(name, []string{"notAvailable", "family", "name", "productionSpecification"}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func FuzzInfer(f *testing.F) {
	f.Add("repeat(item | answer).where($this is X or iif(a, b, $total).first() > 5).aggregate($total + $this)")
	f.Add(`""`)
	f.Add("(contained | entry.resource).descendants().nodesByName('a')[0].value as Quantity")
	m, err := fhirmodel.Load(fhirmodel.R4)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []Dialect{Rules, Microsoft, Specification} {
			if x, err := Parse(text, d); err == nil {
				Infer(x, m, m.Type("Questionnaire"), m.Type("Bundle"))
			}
		}
	})
}
