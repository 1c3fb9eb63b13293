package ledger

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestDictionaryIsComplete: every member of the records is in README.md.
func TestDictionaryIsComplete(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range []any{Scope{}, Brief{}, Run{}, Settings{}, Totals{}, Note{}, Order{}, Reason{}, Fetched{}, RawFile{}, Share{}} {
		typ := reflect.TypeOf(record)
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				continue // its members are those of the record
			}
			if !strings.Contains(string(data), "`"+name+"`") && !strings.Contains(string(data), "."+name) {
				t.Errorf("README.md does not say what %s of a %s is", name, typ.Name())
			}
		}
	}
}
