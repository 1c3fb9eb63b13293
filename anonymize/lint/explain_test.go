package lint

import (
	"fmt"
	"strings"
	"testing"

	"fhirdeid/anonymize/policy"
)

// TestExplain: which rule wins, which lose, and where their paths lead.
func TestExplain(t *testing.T) {
	const rules = `{"fhirVersion":"R4","fhirPathRules":[
		{"path":"nodesByType('HumanName').use","method":"keep"},
		{"path":"Patient.name.where(use = 'maiden')","method":"redact"},
		{"path":"nodesByType('HumanName')","method":"redact"},
		{"path":"Patient.contact","method":"cryptoHash"},
		{"path":"Observation.value as Quantity","method":"perturb","span":0.1,"rangeType":"proportional","roundTo":1},
		{"path":"Observation.value as dateTime","method":"dateShift"},
		{"path":"Patient.birthDate","method":"generalize","cases":{"$this < @1950-01-01":"@1950"},"otherValues":"keep"},
		{"path":"Patient.address","method":"redact"},
		{"path":"Patient.gender","method":"substitute","replaceWith":"unknown"},
		{"path":"nodesByType('Age')","method":"redact"}
	],"parameters":{"cryptoHashKey":"0123456789abcdef","enablePartialDatesForRedact":true,"enablePartialZipCodesForRedact":true,"enablePartialAgesForRedact":true,"dateShiftFixedOffsetInDays":3}}`
	p, err := policy.Parse([]byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"Patient.name.use":               "Patient.name.use by 1 maybe  lost 2 3@Patient.name: It stays as it is.",
		"Patient.name.family":            "Patient.name.family by 3@Patient.name maybe 2 lost : It is removed. Where the condition of an earlier rule holds, that rule decides instead.",
		"Patient.contact.name.family":    "Patient.contact.name.family by 3@Patient.contact.name maybe  lost 4@Patient.contact: It is removed.",
		"Patient.contact.gender":         "Patient.contact.gender by 4@Patient.contact maybe  lost : It becomes a keyed hash (HMAC-SHA256) of 64 hexadecimal digits.",
		"Patient.active":                 "Patient.active by 0 maybe  lost : No rule reaches it, so it stays as it is.",
		"Observation.valueQuantity.unit": "Observation.valueQuantity.unit by 5@Observation.valueQuantity maybe  lost : A number is changed by noise of a width of 0.1 times the value, and rounded to 1 decimals.",
		"Observation.valueDateTime":      "Observation.valueDateTime by 6 maybe  lost : The date is shifted by 3 days, and times become zero. Of a date without a day its year stays, and a date more than 89 years ago is removed.",
		"Patient.birthDate":              "Patient.birthDate by 7 maybe  lost : It is generalized: where $this < @1950-01-01 it becomes @1950; else it stays as it is.",
		"Patient.address.postalCode":     "Patient.address.postalCode by 8@Patient.address maybe  lost : It is removed, but of a postal code the first three digits stay, or none where few people live.",
		"Patient.gender":                 `Patient.gender by 9 maybe  lost : It is replaced by "unknown".`,
		"Condition.onsetAge.value":       "Condition.onsetAge.value by 10@Condition.onsetAge maybe  lost : It is removed, but of an age the number stays up to 89.",
	} {
		list, err := Explain(p, Options{}, path)
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %+v, %v", path, list, err)
			continue
		}
		x := list[0]
		by := "0"
		if x.By != nil {
			by = refs([]RuleRef{*x.By})
		}
		if got := fmt.Sprintf("%s by %s maybe %s lost %s: %s", x.Path, by, refs(x.Maybe), refs(x.Lost), x.What); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if list, err := Explain(p, Options{}, "Patient.deceased"); err != nil || len(list) != 2 {
		t.Errorf("a choice has %d explanations, %v", len(list), err)
	}
	for path, says := range map[string]string{
		"Patients.name": "Patient", "Patient.gendre": "gender", "Patient.contained.id": "nested", "": "no resource type", "Patient.name.": "no element",
	} {
		if _, err := Explain(p, Options{}, path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func refs(list []RuleRef) string {
	var parts []string
	for _, r := range list {
		part := fmt.Sprint(r.Rule)
		if r.At != "" {
			part += "@" + r.At
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

// TestWords: every method of every mode is told in words.
func TestWords(t *testing.T) {
	p, err := policy.Builtin("safe-harbor")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"Patient.id", "Patient.birthDate", "Patient.address.postalCode", "Patient.address.state", "Patient.gender", "Observation.code.coding.code", "Observation.valueQuantity.value", "Patient.extension", "Patient.maritalStatus.text", "Patient.name.family"} {
		list, err := Explain(p, Options{}, path)
		if err != nil || len(list) == 0 || list[0].What == "" || strings.Contains(list[0].What, "of this program") {
			t.Errorf("%s: %+v, %v", path, list, err)
		}
		var b strings.Builder
		if err := list[0].WriteText(&b); err != nil || !strings.Contains(b.String(), "What happens:") {
			t.Errorf("%s: %q, %v", path, b.String(), err)
		}
	}
}
