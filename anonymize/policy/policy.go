package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Mode says what becomes of an element that no rule reaches, and how strictly
// input is read.
type Mode string

// The modes.
const (
	// Microsoft keeps what no rule reaches, as Microsoft's tool does.
	Microsoft Mode = "microsoft"
	// Strict drops what no rule reaches.
	Strict Mode = "strict"
)

// Claim is what a policy says its result is.
type Claim string

// The claims.
const (
	ClaimNone           Claim = "none"
	ClaimSafeHarbor     Claim = "safe-harbor"      // 45 CFR 164.514(b)(2)
	ClaimLimitedDataSet Claim = "limited-data-set" // 45 CFR 164.514(e)
)

// Policy is a rule file, read and checked.
type Policy struct {
	Mode  Mode
	Claim Claim
	// Compat is the option it was read with.
	Compat Compat
	// FHIRVersion is "R4" and the like, or "" where the file names none.
	FHIRVersion string
	// SkipErrors is "processingErrors": "skip".
	SkipErrors bool
	Rules      []Rule
	Parameters Parameters
	// CodeSystems are the code systems whose codes a strict policy keeps by the
	// method "coding". Extensions are the URLs it keeps by "extension".
	CodeSystems []string
	Extensions  []string
	// Risk says how the result's risk of re-identification is measured.
	Risk Risk
	// CustomSettings are "parameters.customSettings", for custom methods.
	CustomSettings json.RawMessage

	// name is that of a built-in profile, base the one that the file extends.
	name string
	base *Policy
	// listed are the list items with a reason.
	listed   []Loosening
	source   []byte
	warnings []Error
}

// Method names what is done to an element.
type Method string

// The methods of Microsoft's language.
const (
	Keep       Method = "keep"
	Redact     Method = "redact"
	DateShift  Method = "dateShift"
	CryptoHash Method = "cryptoHash"
	Encrypt    Method = "encrypt"
	Substitute Method = "substitute"
	PerturbBy  Method = "perturb"
	// GeneralizeBy is the method generalize, PerturbBy perturb: the plain names are
	// those of their settings.
	GeneralizeBy Method = "generalize"
)

// The methods that strict policies have besides.
const (
	// Year reduces a date to its year, and drops what would tell an age over 89.
	Year Method = "year"
	// ZIP3 keeps the first three digits of a US ZIP code where more than 20,000
	// people live, else 000.
	ZIP3 Method = "zip3"
	// Pseudonym replaces an id, or the id in a reference, by a keyed one.
	Pseudonym Method = "pseudonym"
	// Coding keeps system and code of a coding whose system is listed.
	Coding Method = "coding"
	// Extension keeps an extension whose URL is listed, as far as the methods
	// for its type keep its value.
	Extension Method = "extension"
	// Quantity keeps a number with its UCUM unit, or an amount of money. An age
	// over 89 years becomes 90.
	Quantity Method = "quantity"
	// State keeps the state of an address in the United States, and the country.
	State Method = "state"
	// Shift moves a date by a number of days that is one patient's, and leaves the
	// year where there is not exactly one patient.
	Shift Method = "shift"
	// Town keeps the name of a town, ZIP a whole ZIP code of the United States.
	Town Method = "town"
	ZIP  Method = "zip"
	// Code keeps a code that is one of the element's required value set, yes or no,
	// and the resource type that a reference names.
	Code Method = "code"
	// Number keeps a number of at most eight digits. In an observation of an age
	// one over 89 becomes 90.
	Number Method = "number"
)

var methods = []Method{Keep, Redact, DateShift, CryptoHash, Encrypt, Substitute, PerturbBy, GeneralizeBy}
var strictMethods = []Method{Year, ZIP3, Pseudonym, Coding, Extension, Quantity, State, Code, Number, Shift, Town, ZIP}

// methods are those that the policy's mode has.
func (p *Policy) methods() []Method {
	if p.Mode == Strict {
		return slices.Concat(methods, strictMethods)
	}
	return methods
}

// KeyPurpose names what a key is for.
type KeyPurpose string

// The purposes.
const (
	DateShiftKey  KeyPurpose = "date-shift"
	CryptoHashKey KeyPurpose = "crypto-hash"
	EncryptKey    KeyPurpose = "encrypt"
	PseudonymKey  KeyPurpose = "pseudonym"
)

// KeyUse says that the policy needs a key.
type KeyUse struct {
	Purpose KeyPurpose
	// Inline says that the file itself has it.
	Inline bool
}

// Keys lists the keys that the rules need, in a fixed order.
func (p *Policy) Keys() []KeyUse {
	var uses []KeyUse
	for _, k := range []struct {
		purpose KeyPurpose
		method  Method
		inline  bool
	}{
		{DateShiftKey, DateShift, p.Parameters.DateShiftKey != "" || p.Parameters.DateShiftFixedOffsetInDays != nil},
		{CryptoHashKey, CryptoHash, p.Parameters.CryptoHashKey != ""},
		{EncryptKey, Encrypt, p.Parameters.EncryptKey != ""},
		{DateShiftKey, Shift, false},
		{PseudonymKey, Pseudonym, false},
	} {
		known := slices.ContainsFunc(uses, func(u KeyUse) bool { return u.Purpose == k.purpose })
		if !known && slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.Method == k.method }) {
			uses = append(uses, KeyUse{k.purpose, k.inline})
		}
	}
	return uses
}

// Hash is the hex SHA-256 of the file's bytes.
func (p *Policy) Hash() string {
	sum := sha256.Sum256(p.source)
	return hex.EncodeToString(sum[:])
}

// Source returns the file's bytes.
func (p *Policy) Source() []byte { return slices.Clone(p.source) }

// Warnings are what is odd in the file, one sentence each.
func (p *Policy) Warnings() []string {
	var list []string
	for _, w := range p.warnings {
		list = append(list, w.Error())
	}
	return list
}

// WarningList is Warnings with their places.
func (p *Policy) WarningList() []Error { return slices.Clone(p.warnings) }

//go:embed profiles/*.json
var profiles embed.FS

// Builtin returns a built-in profile.
func Builtin(name string) (*Policy, error) {
	data, err := profiles.ReadFile("profiles/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no built-in profile %q; there are: %s", name, strings.Join(BuiltinNames(), ", "))
	}
	p, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("the profile %s: %w", name, err)
	}
	p.name = name
	return p, nil
}

// BuiltinNames lists the built-in profiles.
func BuiltinNames() []string {
	files, err := fs.Glob(profiles, "profiles/*.json")
	if err != nil {
		return nil // only for a malformed pattern
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(strings.TrimPrefix(f, "profiles/"), ".json")
	}
	return names
}
