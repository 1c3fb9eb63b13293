package settings

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/kelseyhightower/envconfig"

	"fhirdeid/internal/storage"
)

// Faults are all that is wrong with the settings.
type Faults []string

// Error lists the faults, one a line.
func (f Faults) Error() string {
	noun := "settings are"
	if len(f) == 1 {
		noun = "setting is"
	}
	return fmt.Sprintf("%d %s wrong:\n  - %s", len(f), noun, strings.Join(f, "\n  - "))
}

// Read reads all settings from the environment. The error is Faults.
func Read() (*Settings, error) { return read(true) }

// ReadServer reads the settings for what needs the FHIR server only: the storage
// connections may be missing, and are not read.
func ReadServer() (*Settings, error) { return read(false) }

func read(connections bool) (*Settings, error) {
	s := new(Settings)
	var faults Faults
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Tag.Get("ignored") == "true" {
			continue
		}
		if fault := readField(field, v.Field(i)); fault != "" {
			faults = append(faults, fault)
		}
	}
	if connections {
		faults = append(faults, s.readConnections(os.LookupEnv)...)
	}
	if len(faults) == 0 {
		faults = s.check()
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return s, nil
}

// readField reads one field. envconfig stops at its first fault, so each field
// is given to it in a struct of its own.
func readField(field reflect.StructField, into reflect.Value) string {
	name := field.Tag.Get("envconfig")
	if field.Tag.Get("split") == "blank" {
		into.Set(reflect.ValueOf(strings.Fields(os.Getenv(name))))
		return ""
	}
	// An app setting left empty is taken for one that is not set.
	if value, set := os.LookupEnv(name); set && strings.TrimSpace(value) == "" {
		if field.Tag.Get("required") == "true" {
			return missing(field)
		}
		if def := field.Tag.Get("default"); def == "" {
			return ""
		}
		os.Unsetenv(name)
		defer os.Setenv(name, value)
	}
	one := reflect.New(reflect.StructOf([]reflect.StructField{field}))
	err := envconfig.Process("", one.Interface())
	var parse *envconfig.ParseError // quotes the value, so it is not wrapped
	switch {
	case errors.As(err, &parse):
		return fmt.Sprintf("%s cannot be read: it is %s; the default is %q", name, field.Tag.Get("desc"), field.Tag.Get("default"))
	case err != nil:
		return missing(field)
	}
	into.Set(one.Elem().Field(0))
	return ""
}

func missing(field reflect.StructField) string {
	return fmt.Sprintf("%s is not set: %s; for example %s", field.Tag.Get("envconfig"), field.Tag.Get("desc"), field.Tag.Get("example"))
}

func (s *Settings) readConnections(lookup func(string) (string, bool)) Faults {
	var faults Faults
	into := []*storage.Connection{&s.Host, &s.Raw, &s.Lake, &s.Export}
	for i, name := range connectionNames {
		c, err := storage.ConnectionFromEnv(name, lookup)
		if errors.Is(err, storage.ErrNoConnection) && into[i] == &s.Export {
			continue
		}
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		*into[i] = c
	}
	return faults
}

// Table lists every setting for the documentation, in the order of the struct.
func Table() []Setting {
	var table []Setting
	t := reflect.TypeFor[Settings]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		if tag.Get("ignored") == "true" {
			continue
		}
		table = append(table, Setting{
			Name: tag.Get("envconfig"), Default: tag.Get("default"), Required: tag.Get("required") == "true", Doc: tag.Get("desc"),
		})
	}
	docs := []string{
		"host account: locks, queues; no data",
		"raw account: PHI",
		"lake account: de-identified data",
		"the server's own export account, where files are read from it",
	}
	for i, name := range connectionNames {
		table = append(table, Setting{Name: name, Required: name != "ExportStorage", Doc: docs[i] + "; a connection string, or __blobServiceUri and __queueServiceUri for an identity"})
	}
	return table
}
