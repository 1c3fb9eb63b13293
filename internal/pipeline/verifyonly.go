package pipeline

import (
	"fmt"
	"strings"

	"fhirdeid/anonymize/policy"
)

// verifyPrefix begins the name of a policy that changes nothing: verify-safe-harbor
// and verify-limited-data-set. It is for what the server has de-identified itself:
// each line is verified against the claim as it came, and kept back where it breaks
// it.
const verifyPrefix = "verify-"

// verifyOnly is the claim that a policy of that name verifies alone.
func verifyOnly(name string) (policy.Claim, bool) {
	claim, ok := strings.CutPrefix(name, verifyPrefix)
	c := policy.Claim(claim)
	return c, ok && (c == policy.ClaimSafeHarbor || c == policy.ClaimLimitedDataSet)
}

// verifyOnlyPolicy has no rules, and the claim.
func verifyOnlyPolicy(name string, claim policy.Claim) (*policy.Policy, error) {
	rules, err := policy.Parse(fmt.Appendf(nil, `{"description": %q, "fhirPathRules": []}`, name))
	if err != nil {
		return nil, lastingf(codePolicyBad, "the policy %q cannot be used: %s", name, err)
	}
	rules.Claim = claim
	return rules, nil
}

// unclaimed is a policy that verifies alone without its claim: the compiler refuses
// rules that keep more than they claim, and here the data has to prove it.
func unclaimed(name string, rules *policy.Policy) *policy.Policy {
	if _, alone := verifyOnly(name); !alone {
		return rules
	}
	bare := *rules
	bare.Claim = policy.ClaimNone
	return &bare
}
