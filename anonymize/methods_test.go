package anonymize

import (
	"testing"

	"fhirdeid/anonymize/policy"
)

// TestMethods: the table has a line for each method, where the constants say.
func TestMethods(t *testing.T) {
	table := methods()
	if len(table) != methodCount {
		t.Fatalf("%d methods, the constants say %d", len(table), methodCount)
	}
	for i, m := range table {
		if m.name == "" {
			t.Errorf("there is no method %d", i)
		}
	}
	for i, name := range map[int]policy.Method{methodKeep: policy.Keep, methodRedact: policy.Redact, methodCoding: policy.Coding, methodExtension: policy.Extension, methodCustom: "custom", unlisted: "unlisted"} {
		if table[i].name != name {
			t.Errorf("method %d is %s, not %s", i, table[i].name, name)
		}
	}
}
