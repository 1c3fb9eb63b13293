package pipeline

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"fhirdeid/internal/ledger"
)

// generation names what makes results join with each other: data set, policy, FHIR
// version and keys. Another key gives other pseudonyms, another policy other rules
// for the same patient; such results must never be taken for one data set. So a
// run under a new policy or key begins a new generation, in a folder of its own as
// each run has, and manifest and catalog say which generation they are of.
//
// Where the server itself de-identifies first, its configuration counts like a
// policy. It may hold keys that nobody sees here, so its state is what tells one
// from another; where that is not known, a run's results join with no other's.
func generation(run *ledger.Run) string {
	what := []string{run.DataSet, run.Policy.Hash, run.FHIRVersion}
	for _, k := range run.Keys {
		what = append(what, k.Purpose, k.ID)
	}
	if server := serverPolicy(run); server != nil {
		what = append(what, "server", server.Name, cmp.Or(server.ETag, run.ID))
	}
	text, _ := json.Marshal(what) // strings only
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// noteGeneration tells people that a release begins a new generation.
func (b *beat) noteGeneration(earlier string) string {
	return fmt.Sprintf("Policy, keys, data set, FHIR version or the server's own configuration are others than those of the release before, so this release begins the generation %s: its ids do not join with those of the generation %s, whose releases stay until they are deleted.", b.run.Generation, earlier)
}
