package anonymize_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
)

// shapeChecker checks that a result is still FHIR: known members with the right
// types of JSON, arrays where the definition has arrays, arrays of primitives as
// long as what stands beside them, required elements there or marked as masked,
// nothing empty, ids unique, and references within one resource leading somewhere.
type shapeChecker struct {
	model  *fhirmodel.Model
	faults []string
}

func newShapeChecker(t *testing.T, version fhirmodel.Version) *shapeChecker {
	model, err := fhirmodel.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	return &shapeChecker{model: model}
}

func (c *shapeChecker) fault(path, format string, args ...any) {
	c.faults = append(c.faults, path+" "+fmt.Sprintf(format, args...))
}

// check looks at a result. What was wrong with the input already is no fault.
func (c *shapeChecker) check(in, out []byte) []string {
	faults := c.look(out)
	if len(faults) == 0 {
		return nil
	}
	before := c.look(in)
	return slices.DeleteFunc(faults, func(f string) bool { return slices.Contains(before, f) })
}

func (c *shapeChecker) look(text []byte) []string {
	c.faults = nil
	var r map[string]any
	if err := json.Unmarshal(text, &r); err != nil {
		return []string{"it is no JSON"}
	}
	c.resource(r, fmt.Sprint(r["resourceType"]))
	c.references(r)
	return c.faults
}

func (c *shapeChecker) resource(r map[string]any, path string) {
	t := c.model.ResourceType([]byte(fmt.Sprint(r["resourceType"])))
	if t == nil {
		c.fault(path, "is no resource")
		return
	}
	c.object(r, t, path)
}

func (c *shapeChecker) object(o map[string]any, t *fhirmodel.Type, path string) {
	if len(o) == 0 {
		c.fault(path, "is empty")
	}
	for key, value := range o {
		if key == "resourceType" && t.Kind == fhirmodel.Resource {
			continue
		}
		plain, sibling := strings.CutPrefix(key, "_")
		e := t.Member([]byte(plain))
		if e == nil {
			c.fault(path, "has a member that FHIR has not")
			continue
		}
		list, isList := value.([]any)
		if isList != e.Array {
			c.fault(path+"."+key, "is an array or is none")
			continue
		}
		if !isList {
			c.value(value, e, sibling, path+"."+plain)
			continue
		}
		if len(list) == 0 {
			c.fault(path+"."+key, "is empty")
		}
		some := false
		for _, item := range list {
			some = some || item != nil
			if item == nil && !e.Type.Kind.Primitive() {
				c.fault(path+"."+key, "has a null")
				continue
			}
			if item != nil {
				c.value(item, e, sibling, path+"."+plain)
			}
		}
		if !some {
			c.fault(path+"."+key, "has only nulls")
		}
		if !sibling {
			if beside, ok := o["_"+key].([]any); ok && len(beside) != len(list) {
				c.fault(path+"."+key, "is as long as %d, beside it are %d", len(list), len(beside))
			} else if !ok && contains(list, nil) {
				c.fault(path+"."+key, "has a null with nothing beside it")
			}
		}
	}
	c.required(o, t, path)
}

func contains(list []any, v any) bool {
	for _, item := range list {
		if item == v {
			return true
		}
	}
	return false
}

func (c *shapeChecker) required(o map[string]any, t *fhirmodel.Type, path string) {
	there := make(map[int]bool)
	for _, e := range t.Elements {
		there[e.Group] = there[e.Group] || o[e.Key] != nil || o["_"+e.Key] != nil
	}
	for _, e := range t.Elements {
		if e.Required && !there[e.Group] {
			c.fault(path, "lacks %s", e.Name)
		}
	}
}

func (c *shapeChecker) value(v any, e *fhirmodel.Element, sibling bool, path string) {
	o, isObject := v.(map[string]any)
	switch {
	case sibling:
		if !isObject {
			c.fault(path, "has no object beside it")
			return
		}
		c.object(o, c.model.PrimitiveMembers(), path)
	case e.Type.Kind.Primitive():
		ok := false
		switch v.(type) {
		case string:
			ok = e.Type.Kind.Text()
		case float64:
			ok = e.Type.Kind == fhirmodel.Integer || e.Type.Kind == fhirmodel.Decimal
		case bool:
			ok = e.Type.Kind == fhirmodel.Boolean
		}
		if !ok {
			c.fault(path, "has another type of JSON")
		}
	case isObject && isMask(o):
		// What stands for a required element that is gone.
	case !isObject:
		c.fault(path, "is no object")
	case e.Type.Kind == fhirmodel.Resource:
		c.resource(o, path)
	default:
		c.object(o, e.Type, path)
	}
}

// isMask reports whether an object says that something is masked, and no more.
func isMask(o map[string]any) bool {
	list, _ := o["extension"].([]any)
	if len(o) != 1 || len(list) != 1 {
		return false
	}
	extension, _ := list[0].(map[string]any)
	return extension["url"] == "http://hl7.org/fhir/StructureDefinition/data-absent-reason" && extension["valueCode"] == "masked"
}

// references looks whether the references to contained resources and to entries
// of a Bundle lead to one.
func (c *shapeChecker) references(r map[string]any) {
	targets, ids := make(map[string]bool), make(map[string]bool)
	var local []string
	contained, _ := r["contained"].([]any)
	for _, item := range contained {
		if inner, ok := item.(map[string]any); ok && inner["id"] != nil {
			id := "#" + fmt.Sprint(inner["id"])
			if ids[id] {
				c.fault("contained", "has an id twice")
			}
			ids[id] = true
		}
	}
	entries, _ := r["entry"].([]any)
	for _, item := range entries {
		entry, _ := item.(map[string]any)
		url, _ := entry["fullUrl"].(string)
		if url == "" {
			continue
		}
		url = strings.TrimPrefix(url, "https://fhir.invalid/")
		if targets[url] {
			c.fault("entry.fullUrl", "is there twice")
		}
		targets[url] = true
		if inner, ok := entry["resource"].(map[string]any); ok && inner["id"] != nil && !strings.HasPrefix(url, "urn:") {
			if url != fmt.Sprintf("%v/%v", inner["resourceType"], inner["id"]) {
				c.fault("entry.fullUrl", "is not that of the resource")
			}
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["reference"].(string); ok && v["expression"] == nil {
				local = append(local, ref)
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(r)
	for _, ref := range local {
		if len(contained) > 0 && len(ref) > 1 && ref[0] == '#' && !ids[ref] {
			c.fault("reference", "to a contained resource leads nowhere")
		}
		if len(targets) > 0 && strings.HasPrefix(ref, "urn:uuid:") && !targets[ref] {
			c.fault("reference", "to an entry leads nowhere")
		}
	}
}
