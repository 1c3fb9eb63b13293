package anonymize

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

// Keys are the secrets that the methods use. Each is used as the bytes it has.
// A key that a plain rule file has itself wins over the one given here.
type Keys struct {
	DateShift  []byte // dateShift
	CryptoHash []byte // cryptoHash
	Encrypt    []byte // encrypt: 16, 24 or 32 bytes
	Pseudonym  []byte // pseudonym
}

// Options belong to an engine.
type Options struct {
	Keys Keys
	// AsOf is "now": ages are counted at this instant. It is needed.
	AsOf time.Time
	// FHIRVersion is used where the policy names none; "" is R4.
	FHIRVersion string
	// ServerURL is the base URL of the FHIR server that the resources come from.
	// References that begin with it are to the same resources as relative ones,
	// those of other servers to others. "" is not known: all are to the same.
	ServerURL string
	// Methods are those that the program adds to the rule language, by name.
	Methods map[string]NewMethod
	// SyntheticIV makes the initialisation vectors of the method encrypt from the
	// value and its path by a keyed hash, so that the same input gives the same
	// bytes; equal values at equal paths can then be told to be equal. Else they
	// are random, as Microsoft's tool makes them.
	SyntheticIV bool
}

// Engine applies a policy. It is safe for concurrent use.
type Engine struct {
	policy *policy.Policy
	model  *fhirmodel.Model
	routes []route
	// generals are the rules whose paths have to be evaluated.
	generals []general
	// generalOf is the index of the general rule that a bucket belongs to.
	generalOf []int
	// unknown are the rules whose methods are unknown.
	unknown []int
	custom  []Method
	// exact: what Microsoft's tool does is repeated, its leaks too.
	exact bool
	// capAges: ages over 89 are one class.
	capAges bool
	// server is the server's base URL with a slash at its end, or "".
	server string
	// elements says that a method works on more than primitives with values,
	// special that decideSpecial is needed.
	elements, special bool
	substitutes       bool // there is a rule with the method substitute
	syntheticIV       bool
	table             []method
	// codingType and extensionType are asked for often.
	codingType, extensionType *fhirmodel.Type
	// postalCode is the only element of that name.
	postalCode *fhirmodel.Element
	// methods is the index of each rule's method.
	methods []int
	keys    Keys
	asOf    time.Time
	strict  bool
	lists   *lists

	workers, chunks sync.Pool
}

// minKey is how long a key must be, in bytes.
const minKey = 16

// Compile makes an engine of a policy. The error is a *policy.Error where a rule
// is at fault.
func Compile(p *policy.Policy, o Options) (*Engine, error) {
	if o.AsOf.IsZero() {
		return nil, errors.New("the as-of instant is needed: ages are counted at it")
	}
	name := p.FHIRVersion
	if name == "" {
		name = o.FHIRVersion
	}
	if name == "" {
		name = string(fhirmodel.R4)
	}
	version, ok := fhirmodel.ParseVersion(name)
	if !ok {
		return nil, fmt.Errorf("there is no FHIR version %q; it is STU3, R4, R4B or R5", name)
	}
	model, err := fhirmodel.Load(version)
	if err != nil {
		return nil, err
	}
	e := &Engine{policy: p, model: model, keys: o.Keys, asOf: o.AsOf, strict: p.Mode == policy.Strict, capAges: p.Claim != policy.ClaimLimitedDataSet, exact: p.Compat == policy.CompatMicrosoft, syntheticIV: o.SyntheticIV}
	if o.ServerURL != "" {
		e.server = strings.TrimRight(o.ServerURL, "/") + "/"
	}
	e.setMethods()
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Unknown {
			e.unknown = append(e.unknown, i)
			continue
		}
		e.plan(i, r)
		e.substitutes = e.substitutes || r.Method == policy.Substitute
		e.elements = e.elements || r.Method == policy.Substitute || r.Method == policy.GeneralizeBy
		e.special = e.special || e.elements || r.Custom != ""
	}
	e.special = e.special || len(e.generals) > 0 || len(e.unknown) > 0
	if err := e.makeCustom(o.Methods); err != nil {
		return nil, err
	}
	if err := e.checkClaim(); err != nil {
		return nil, err
	}
	if err := e.takeKeys(); err != nil {
		return nil, err
	}
	e.lists = newLists(p)
	e.workers.New = func() any { return newWorker(e) }
	return e, nil
}

// takeKeys prefers the keys of a plain rule file and refuses short ones.
func (e *Engine) takeKeys() error {
	p := &e.policy.Parameters
	for _, k := range []struct {
		inline string
		into   *[]byte
	}{{p.DateShiftKey, &e.keys.DateShift}, {p.CryptoHashKey, &e.keys.CryptoHash}, {p.EncryptKey, &e.keys.Encrypt}} {
		if k.inline != "" && !e.strict {
			*k.into = []byte(k.inline)
		}
	}
	have := map[policy.KeyPurpose][]byte{
		policy.DateShiftKey: e.keys.DateShift, policy.CryptoHashKey: e.keys.CryptoHash,
		policy.EncryptKey: e.keys.Encrypt, policy.PseudonymKey: e.keys.Pseudonym,
	}
	for _, use := range e.policy.Keys() {
		if use.Purpose == policy.DateShiftKey && p.DateShiftFixedOffsetInDays != nil {
			continue
		}
		// A key in the file is the author's word, as with Microsoft's tool; one
		// from outside has to be strong.
		if !use.Inline && len(have[use.Purpose]) < minKey {
			return fmt.Errorf("the %s key is missing or shorter than %d bytes; make one with `fhirdeid keys new`", use.Purpose, minKey)
		}
	}
	if n := len(e.keys.Encrypt); n != 0 && n != 16 && n != 24 && n != 32 {
		return fmt.Errorf("the encrypt key has %d bytes; AES takes 16, 24 or 32", n)
	}
	return nil
}

// Policy returns the policy the engine was made of.
func (e *Engine) Policy() *policy.Policy { return e.policy }

// Resource de-identifies one resource and appends the result to dst. A resource
// that the policy drops whole gives nothing. The error is a *LineError.
func (e *Engine) Resource(dst, line []byte) ([]byte, error) {
	return e.ResourceIn(dst, line, Place{})
}

// Place is where a resource comes from, for date shifts by file or folder.
type Place struct{ File, Folder string }

// ResourceIn is Resource for one that comes from a file.
func (e *Engine) ResourceIn(dst, line []byte, at Place) ([]byte, error) {
	w := e.workers.Get().(*worker)
	defer e.workers.Put(w)
	w.place = at
	out, err := w.resource(dst, line)
	if err != nil {
		return dst, err
	}
	return out, nil
}
