package bulkdata

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Profile says how a kind of server wants to be asked.
type Profile string

// The known profiles.
const (
	// Standard is FHIR Bulk Data 2.0 and later.
	Standard Profile = "standard"
	// Azure is the FHIR service of Azure Health Data Services, and the
	// open-source FHIR server: GET only, and 400 for any parameter it does not
	// know.
	Azure Profile = "azure"
)

// Level says whose data is exported.
type Level string

// The levels of an export.
const (
	LevelSystem  Level = "system"  // [base]/$export
	LevelPatient Level = "patient" // [base]/Patient/$export
	LevelGroup   Level = "group"   // [base]/Group/[id]/$export
)

// Request is what an export asks for. It is JSON, so that a run can keep it and
// repeat it to the letter.
type Request struct {
	Level   Level    `json:"level"`
	GroupID string   `json:"groupId,omitempty"`
	Types   []string `json:"types,omitempty"`
	// TypeFilters are search queries such as "Observation?status=final".
	TypeFilters []string `json:"typeFilters,omitempty"`
	// Since and Until bound when resources were last changed; Until is
	// exclusive.
	Since        time.Time `json:"since,omitzero"`
	Until        time.Time `json:"until,omitzero"`
	OutputFormat string    `json:"outputFormat,omitempty"`

	// Azure only: the export container, and the server's own de-identification.
	Container               string `json:"container,omitempty"`
	AnonymizationConfig     string `json:"anonymizationConfig,omitempty"`
	AnonymizationConfigETag string `json:"anonymizationConfigEtag,omitempty"`
}

// Check says what of the request the profile cannot ask for. It needs no
// server, so a preflight can call it.
func (r Request) Check(p Profile) error {
	_, err := r.query(p)
	if err != nil {
		return err
	}
	_, err = r.path()
	return err
}

// path is the operation's path below the base URL.
func (r Request) path() (string, error) {
	switch r.Level {
	case LevelSystem:
		return "$export", nil
	case LevelPatient:
		return "Patient/$export", nil
	case LevelGroup:
		if !isID(r.GroupID) {
			return "", errors.New("a group export needs the id of the group: 1 to 64 letters, digits, '-' and '.'")
		}
		return "Group/" + r.GroupID + "/$export", nil
	}
	return "", fmt.Errorf("there is no export level %q; it is system, patient or group", r.Level)
}

// query are the parameters as the profile has them.
func (r Request) query(p Profile) (url.Values, error) {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("_outputFormat", r.OutputFormat)
	set("_type", strings.Join(r.Types, ","))
	for _, f := range r.TypeFilters {
		typ, _, ok := strings.Cut(f, "?")
		if !ok {
			return nil, errors.New("a type filter has the form Type?search, such as Observation?status=final")
		}
		if p == Azure && !slices.Contains(r.Types, typ) {
			return nil, fmt.Errorf("the azure profile takes a type filter only for a type that is asked for; add %s to the types", typ)
		}
	}
	switch p {
	case Azure:
		set("_typeFilter", strings.Join(r.TypeFilters, ","))
		set("_till", instant(r.Until))
		set("_container", r.Container)
		set("_anonymizationConfig", r.AnonymizationConfig)
		set("_anonymizationConfigEtag", r.AnonymizationConfigETag)
		if r.AnonymizationConfig != "" && r.Container == "" {
			return nil, errors.New("the server's own de-identification needs an export container")
		}
		if r.AnonymizationConfigETag != "" && r.AnonymizationConfig == "" {
			return nil, errors.New("an ETag of an anonymization config needs the config's name")
		}
	case Standard:
		for _, f := range r.TypeFilters {
			q.Add("_typeFilter", f)
		}
		set("_until", instant(r.Until))
		if r.Container != "" || r.AnonymizationConfig != "" || r.AnonymizationConfigETag != "" {
			return nil, errors.New("an export container and an anonymization config are known to the azure profile only")
		}
	default:
		return nil, fmt.Errorf("there is no server profile %q; it is azure or standard", p)
	}
	set("_since", instant(r.Since))
	return q, nil
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// isID is the regex of FHIR's id type: https://hl7.org/fhir/datatypes.html#id
func isID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}
