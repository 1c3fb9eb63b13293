package main

import (
	"encoding/base64"
	"testing"
)

func TestTokenName(t *testing.T) {
	token := func(claims string) string { return "x." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x" }
	for in, want := range map[string]string{
		token(`{"upn":"ada@example.org","oid":"1"}`):         "ada@example.org",
		token(`{"unique_name":"ada@example.org","oid":"1"}`): "ada@example.org",
		token(`{"appid":"app-1","oid":"1"}`):                 "app-1",
		token(`{"oid":"1"}`):                                 "1",
		token(`{`):                                           "",
		"no token":                                           "",
		"a.b.c":                                              "",
	} {
		if got := tokenName(in); got != want {
			t.Errorf("%q is of %q, want %q", in, got, want)
		}
	}
}
