package pipeline

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestReleaseIsInTheDictionary: every member of a release's manifest and of the
// catalog is in RELEASE.md.
func TestReleaseIsInTheDictionary(t *testing.T) {
	data, err := os.ReadFile("RELEASE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range []any{ReleaseManifest{}, ReleaseOutput{}, ReleaseRecord{}, ServerPolicy{}, Latest{}} {
		typ := reflect.TypeOf(record)
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if !strings.Contains(string(data), "`"+name+"`") && !strings.Contains(string(data), "."+name+"`") {
				t.Errorf("RELEASE.md does not say what %s of a %s is", name, typ.Name())
			}
		}
	}
}
