package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/risk"
	"fhirdeid/internal/storage"
	"fhirdeid/internal/verify"
)

// engine is a policy made ready for a run, with the verifier of its claim.
type engine struct {
	*anonymize.Engine
	checker *verify.Checker // nil: the policy claims nothing
	alone   bool            // nothing is changed, the line is verified as it came
	cells   *risk.Reader    // nil: nothing is counted of patients
}

// isType reports whether there is a resource type of that name.
func (e *engine) isType(name []byte) bool { return e.Model().ResourceType(name) != nil }

// claimNone is the claim of a policy that claims nothing.
const claimNone = "none"

// Engines keeps the engines of the newest runs, since making one takes longer
// than many a file does. It is a cache and no state: what it holds is found
// again from the ledger, the policy container and the key vault.
type Engines struct {
	mu   sync.Mutex
	made []madeEngine // newest first
	// spoil lets a test break what was made, so that there is something for the
	// verifier to find.
	spoil func(*engine)
}

type madeEngine struct {
	key    string
	engine *engine
}

// keptEngines is how many engines are kept.
const keptEngines = 4

func (e *Engines) find(key string) *engine {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.made {
		if m.key == key {
			return m.engine
		}
	}
	return nil
}

func (e *Engines) keep(key string, made *engine) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made = append([]madeEngine{{key, made}}, e.made...)
	if len(e.made) > keptEngines {
		e.made = e.made[:keptEngines]
	}
}

// lastingError is a fault of policy or keys that another try cannot mend.
type lastingError struct {
	code string
	text string
}

func (e *lastingError) Error() string { return e.text }

func lastingf(code, format string, args ...any) error {
	return &lastingError{code: code, text: fmt.Sprintf(format, args...)}
}

// Codes of lasting faults.
const (
	codePolicyMissing = "policy-missing"
	codePolicyBad     = "policy-invalid"
	codePolicyChanged = "policy-changed"
	codeKeyGone       = "key-unavailable"
	codeKeyBad        = "key-invalid"
)

// engine returns the engine of a run: its policy, by hash, with the key
// versions that the run was begun with.
func (p *Pipeline) engine(ctx context.Context, run *ledger.Run) (*engine, error) {
	key := engineKey(run)
	if made := p.Engines.find(key); made != nil {
		return made, nil
	}
	rules, err := p.policy(ctx, run.Policy.Name)
	if err != nil {
		return nil, err
	}
	if rules.Hash() != run.Policy.Hash {
		return nil, lastingf(codePolicyChanged, "the policy %q was changed during the run; put the old file back and retry, or start a new run", run.Policy.Name)
	}
	made, err := p.makeEngine(ctx, run, rules)
	if err != nil {
		return nil, err
	}
	if p.Engines.spoil != nil {
		p.Engines.spoil(made)
	}
	p.Engines.keep(key, made)
	return made, nil
}

// engineKey is what an engine depends on.
func engineKey(run *ledger.Run) string {
	var key strings.Builder
	fmt.Fprint(&key, run.Policy.Hash, " ", run.AsOf.UTC(), " ", run.FHIRVersion, " ", run.DataSet)
	for _, k := range run.Keys {
		fmt.Fprint(&key, " ", k.Purpose, k.ID)
	}
	return key.String()
}

// policy reads a built-in profile, or a rule file of the policy container.
func (p *Pipeline) policy(ctx context.Context, name string) (*policy.Policy, error) {
	if claim, ok := verifyOnly(name); ok {
		return verifyOnlyPolicy(name, claim)
	}
	if rules, err := policy.Builtin(name); err == nil {
		return rules, nil
	}
	data, _, err := p.Stores.Policy.Get(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, lastingf(codePolicyMissing, "there is no built-in profile and no file in the policy container called %q; put the rule file there, or set POLICY to one of: %s", name, strings.Join(policy.BuiltinNames(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the policy %q: %w", name, err)
	}
	return p.parsePolicy(name, data)
}

func (p *Pipeline) parsePolicy(name string, data []byte) (*policy.Policy, error) {
	rules, err := policy.Parse(data)
	if err != nil {
		return nil, lastingf(codePolicyBad, "the policy %q cannot be used: %s", name, err)
	}
	return rules, nil
}

// makeEngine reads the keys that the run names and compiles its policy.
func (p *Pipeline) makeEngine(ctx context.Context, run *ledger.Run, rules *policy.Policy) (*engine, error) {
	var material anonymize.Keys
	for _, k := range run.Keys {
		secret, err := p.Keys.Get(ctx, k.Name, k.Version)
		if errors.Is(err, keys.ErrNotFound) {
			return nil, lastingf(codeKeyGone, "the key %s, version %s, that the run began with is gone: %s", k.Name, k.Version, err)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the key %s: %w", k.Name, err)
		}
		if keys.ID(secret.Value) != k.ID {
			return nil, lastingf(codeKeyGone, "the key %s is another than the one the run began with; put the old version back and retry, or start a new run", k.Name)
		}
		setKey(&material, policy.KeyPurpose(k.Purpose), secret.Value, run.DataSet, rules.Mode)
	}
	compiled, err := anonymize.Compile(unclaimed(run.Policy.Name, rules), anonymize.Options{Keys: material, AsOf: run.AsOf, FHIRVersion: run.FHIRVersion, SyntheticIV: true, ServerURL: run.Server})
	if err != nil {
		return nil, lastingf(codePolicyBad, "the policy %q cannot be used: %s", run.Policy.Name, err)
	}
	made := &engine{Engine: compiled}
	if made.cells, err = riskReader(run, compiled.Model()); err != nil {
		return nil, lastingf(codePolicyBad, "the policy %q cannot be used: %s", run.Policy.Name, err)
	}
	if run.Policy.Claim != claimNone {
		paths, systems, extensions := rules.Loosened()
		made.checker, err = verify.New(run.Policy.Claim, verify.Options{
			FHIRVersion: run.FHIRVersion, AsOf: run.AsOf, Loosened: paths, CodeSystems: systems, Extensions: extensions,
		})
		_, made.alone = verifyOnly(run.Policy.Name)
		if err != nil {
			return nil, lastingf(codePolicyBad, "the claim %q of the policy %q cannot be verified: %s", run.Policy.Claim, run.Policy.Name, err)
		}
	}
	return made, nil
}

// setKey hands the engine a key. A strict policy is given one that is derived
// for the data set, so that a pseudonym of one data set says nothing about
// another's; a plain rule file is given the secret itself, as Microsoft's tool
// is.
func setKey(m *anonymize.Keys, purpose policy.KeyPurpose, secret []byte, dataSet string, mode policy.Mode) {
	if mode == policy.Strict {
		secret = keys.Derive(secret, dataSet, string(purpose))
	}
	switch purpose {
	case policy.DateShiftKey:
		m.DateShift = secret
	case policy.CryptoHashKey:
		m.CryptoHash = secret
	case policy.EncryptKey:
		m.Encrypt = secret
	case policy.PseudonymKey:
		m.Pseudonym = secret
	}
}
