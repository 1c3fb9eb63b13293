package planted

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
)

var versions = []fhirmodel.Version{fhirmodel.STU3, fhirmodel.R4, fhirmodel.R4B, fhirmodel.R5}

// TestCorpus: every resource type is there, the resources are JSON, every element
// of every type has a token or is a yes, a number or a code, and every token is
// found where it was planted.
func TestCorpus(t *testing.T) {
	for _, v := range versions {
		model, err := fhirmodel.Load(v)
		if err != nil {
			t.Fatal(err)
		}
		types, resources, size, tokens := make(map[string]int), 0, 0, 0
		for r := range Corpus(v, 1) {
			types[r.Type]++
			resources++
			size += len(r.JSON)
			tokens += len(r.Tokens)
			if !json.Valid(r.JSON) {
				t.Fatalf("%s is no JSON: %s", r.Type, r.JSON)
			}
			if resources%20 == 0 {
				found := make(map[string]bool)
				for _, hit := range r.Find(r.JSON, 6) {
					found[hit.Token.Value] = true
				}
				for _, token := range r.Tokens {
					if !found[token.Value] {
						t.Errorf("%s: the %s at %s is not found: %s", r.Type, token.Kind, token.Path, token.Value)
					}
				}
			}
		}
		if len(types) != len(model.ResourceTypes()) {
			t.Errorf("%s: %d of %d types", v, len(types), len(model.ResourceTypes()))
		}
		t.Logf("%s: %d resources, %d MB, %d tokens", v, resources, size>>20, tokens)
	}
}

func TestSame(t *testing.T) {
	var a, b [][]byte
	for r := range Sample(fhirmodel.R4, 3) {
		a = append(a, r.JSON)
	}
	for r := range Sample(fhirmodel.R4, 3) {
		b = append(b, r.JSON)
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			t.Fatal("the same seed gives other resources")
		}
	}
}

func TestForms(t *testing.T) {
	word := Token{Value: "Ghjklmnpqrst", Kind: Text, Path: "x"}
	number := Token{Value: "234567892", Kind: Digits, Path: "x"}
	for _, c := range []struct {
		token Token
		text  string
		form  string
	}{
		{word, `{"family":"Ghjklmnpqrst"}`, "text"},
		{word, `{"family":"GHJKLMNPQRST"}`, "text"},
		{word, `{"family":"xxlmnpqrxx"}`, "text"},
		{word, `{"family":"lmnpq"}`, ""},
		{word, base64.StdEncoding.EncodeToString([]byte("Ghjklmnpqrst")), "base64"},
		{word, base64.StdEncoding.EncodeToString([]byte("a Ghjklmnpqrst b")), "base64"},
		{word, base64.StdEncoding.EncodeToString([]byte("ab Ghjklmnpqrst b")), "base64"},
		{word, base64.RawStdEncoding.EncodeToString([]byte("abc Ghjklmnpqrst b")), "base64"},
		{word, `ghj%6blmn`, "text"},
		{word, `ghj\u006blmn`, "text"},
		{number, `"(234) 567-892"`, "digits"},
		{number, `23-45-67-892`, "digits"},
		{number, `34567892`, "digits"},
		{number, `"234567"`, ""},
		{number, "a234567892b", "digits"},
		{Token{Value: "1980-02-03", Kind: Date, Path: "x"}, `"1980-02-03T10:00:00Z"`, "number"},
		{Token{Value: "1980-02-03", Kind: Date, Path: "x"}, `"1980-02"`, "month"},
		{Token{Value: "1980-02-03", Kind: Date, Path: "x"}, `"1980-02-03-04"`, "date"},
		{Token{Value: "1980-02-03", Kind: Date, Path: "x"}, `{"value":19800203}`, "number"},
		{Token{Value: "1980-02-03", Kind: Date, Path: "x"}, `"1980"`, ""},
		{Token{Value: "1921", Kind: Old, Path: "x"}, `"1921"`, "number"},
		{Token{Value: "1921", Kind: Old, Path: "x"}, `"1921-02"`, "year"},
		{Token{Value: "1921", Kind: Old, Path: "x"}, `"x1921"`, ""},
		{Token{Value: "97", Kind: Age, Path: "x"}, `{"value":97}`, "number"},
		{Token{Value: "97", Kind: Age, Path: "x"}, `{"value":197}`, ""},
		{Token{Value: "0213", Kind: ZIP, Path: "x"}, `"0213"`, "number"},
		{Token{Value: "0213", Kind: ZIP, Path: "x"}, `"021"`, ""},
		{Token{Value: "10.1.2.3", Kind: IP, Path: "x"}, `"http://10.1.2.3/"`, "number"},
		{Token{Value: "0123456789abcdef0123456789abcdef", Kind: UUID, Path: "x"}, `"urn:uuid:01234567-89ab-cdef-0123-456789abcdef"`, "uuid"},
		{Token{Value: "0123456789abcdef0123456789abcdef", Kind: UUID, Path: "x"}, `"Patient/0123456789abcdef0123456789abcdee"`, ""},
	} {
		if form, found := c.token.In([]byte(c.text)); form != c.form || found != (c.form != "") {
			t.Errorf("%s in %s: %q, want %q", c.token.Value, c.text, form, c.form)
		}
	}
}
