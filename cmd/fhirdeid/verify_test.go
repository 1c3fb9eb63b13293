package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/verify"
)

// TestVerifyMicrosoft: what Microsoft's tool makes by its sample configuration,
// called Safe Harbor, does not hold the claim, and the command says why.
func TestVerifyMicrosoft(t *testing.T) {
	for _, set := range []string{"synthea-r4", "hl7-r4-examples"} {
		dir := filepath.Join("..", "..", "..", "shared", "goldens", "ms-r4-sample", set)
		if _, err := os.Stat(dir); err != nil {
			t.Skipf("%s is not here", dir)
		}
		c, err := verify.New(verify.SafeHarbor, verify.Options{AsOf: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		v := &verification{Claim: verify.SafeHarbor, FHIRVersion: "R4", AsOf: "2026-11-22", checker: c}
		if err := v.walk(dir); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := v.tell(&out, false); err == nil {
			t.Errorf("%s holds the claim", set)
		}
		for _, want := range []string{"hard  unlisted-path", "hard  text", "hard  pattern", "Organization.name", "does not hold the claim"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: it does not say %q", set, want)
			}
		}
		if set == "hl7-r4-examples" {
			for _, want := range []string{"AuditEvent", "lotNumber", "hard  unlisted-code"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%s: it does not say %q", set, want)
				}
			}
		}
		t.Logf("%s: %d of %d lines break it, %d kinds of findings", set, v.Bad, v.Lines, len(v.Findings))
	}
}
