package lint

import (
	"fmt"

	"fhirdeid/anonymize/policy"
)

// shortKey is how long a key must be that comes from outside, in bytes.
const shortKey = 16

// keys looks at the keys that the rules need.
func (l *linter) keys() {
	parameters := &l.policy.Parameters
	inline := map[policy.KeyPurpose]string{
		policy.DateShiftKey: parameters.DateShiftKey, policy.CryptoHashKey: parameters.CryptoHashKey, policy.EncryptKey: parameters.EncryptKey,
	}
	names := map[policy.KeyPurpose]string{
		policy.DateShiftKey: "dateShiftKey", policy.CryptoHashKey: "cryptoHashKey", policy.EncryptKey: "encryptKey", policy.PseudonymKey: "pseudonym key",
	}
	for _, use := range l.policy.Keys() {
		key := inline[use.Purpose]
		switch {
		case use.Purpose == policy.DateShiftKey && parameters.DateShiftFixedOffsetInDays != nil:
			l.add(Problem{
				Code: "fixed-offset", Severity: Warning,
				Problem:     fmt.Sprintf("All dates of all patients are shifted by the same %d days.", *parameters.DateShiftFixedOffsetInDays),
				Consequence: "Who knows one true date knows all of them.",
				Remedy:      "Take \"dateShiftFixedOffsetInDays\" out, and shift by a key.",
			})
		case key == "":
			consequence := "It has to come from outside; without it nothing is de-identified."
			if !l.strict {
				consequence += " Microsoft's tool makes a random one, so that results of two runs do not fit together."
			}
			l.add(Problem{
				Code: "blank-key", Severity: Note,
				Problem:     fmt.Sprintf("The rules need the %s, and the file has none.", names[use.Purpose]),
				Consequence: consequence,
				Remedy:      "Keep it so, and give the key by the vault or the environment.",
			})
		case len(key) < shortKey:
			l.add(Problem{
				Code: "short-key", Severity: Error,
				Problem:     fmt.Sprintf("The %s in the file has only %d bytes.", names[use.Purpose], len(key)),
				Consequence: "It can be found by trying, and with it ids or dates.",
				Remedy:      "Leave it blank in the file, and give a key of 16 bytes or more by the vault or the environment.",
			})
		default:
			l.add(Problem{
				Code: "key-in-file", Severity: Warning,
				Problem:     fmt.Sprintf("The %s stands in the file.", names[use.Purpose]),
				Consequence: "Who can read the rules can undo what the key protects.",
				Remedy:      "Leave it blank in the file, and give it by the vault or the environment.",
			})
		}
	}
}
