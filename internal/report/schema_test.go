package report

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSchemaIsTheStruct holds the published schema and the Go types together,
// both ways: names, kinds, and which members are always there.
func TestSchemaIsTheStruct(t *testing.T) {
	var s map[string]any
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	defs, _ := s["$defs"].(map[string]any)
	compare(t, "report", s, defs, reflect.TypeFor[Run]())
	for _, name := range []string{"outcome", "severity"} {
		if _, ok := defs[name]; ok {
			t.Errorf("%s is written out where it is used", name)
		}
	}
}

func compare(t *testing.T, at string, s, defs map[string]any, typ reflect.Type) {
	t.Helper()
	if ref, ok := s["$ref"].(string); ok {
		s, _ = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	want := map[reflect.Kind]string{
		reflect.String: "string", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number",
		reflect.Bool: "boolean", reflect.Slice: "array", reflect.Struct: "object", reflect.Map: "object",
	}[typ.Kind()]
	if typ == reflect.TypeFor[time.Time]() {
		want = "string"
		if s["format"] != "date-time" {
			t.Errorf("%s: not a date-time", at)
		}
	}
	if s["type"] != want {
		t.Errorf("%s: the schema has type %v, the struct %s", at, s["type"], want)
	}
	if want != "array" && s["description"] == nil && s["enum"] == nil {
		t.Errorf("%s: no description", at)
	}
	switch {
	case want == "array":
		items, _ := s["items"].(map[string]any)
		compare(t, at+"[]", items, defs, typ.Elem())
	case typ.Kind() == reflect.Map:
		values, _ := s["additionalProperties"].(map[string]any)
		if values["type"] != "integer" {
			t.Errorf("%s: the values are counts", at)
		}
	case want == "object":
		properties, _ := s["properties"].(map[string]any)
		seen := make(map[string]bool)
		var always []string
		for _, f := range reflect.VisibleFields(typ) {
			if f.Anonymous {
				continue
			}
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			seen[name] = true
			if options == "" {
				always = append(always, name)
			}
			p, ok := properties[name].(map[string]any)
			if !ok {
				t.Errorf("%s.%s: not in the schema", at, name)
				continue
			}
			compare(t, at+"."+name, p, defs, f.Type)
		}
		for name := range properties {
			if !seen[name] {
				t.Errorf("%s.%s: not in the struct", at, name)
			}
		}
		var required []string
		list, _ := s["required"].([]any)
		for _, v := range list {
			required = append(required, v.(string))
		}
		slices.Sort(always)
		slices.Sort(required)
		if !slices.Equal(always, required) {
			t.Errorf("%s: required are %v, always written %v", at, required, always)
		}
	}
}
