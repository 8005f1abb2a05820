package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// The decoder of the standard library takes "ITEMS" for "items", keeps the last of two equal keys, and
// does not say where an unknown key is. A slip in a key would give an answer to another question,
// so objects are read key by key here.

// rawStage is an object that has not been decoded yet.
type rawStage json.RawMessage

func (r *rawStage) UnmarshalJSON(data []byte) error {
	*r = append((*r)[:0], data...)
	return nil
}

func (r rawStage) decode(key string) (StageSpec, error) {
	s := StageSpec{Workers: 1, Batch: 1, Reliability: 1}
	err := decodeObject(json.NewDecoder(bytes.NewReader(r)), key, map[string]any{
		"name": &s.Name, "service_seconds": &s.ServiceSeconds, "service_per_item_seconds": &s.ServicePerItemSeconds,
		"workers": &s.Workers, "queue": &s.Queue, "batch": &s.Batch, "memory_bytes": &s.MemoryBytes, "reliability": &s.Reliability,
	})
	return s, err
}

// decodeDocument reads one object and nothing else.
func decodeDocument(data []byte, fields map[string]any) error {
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil { // the place of a syntax error, before any other
		return syntaxError(data, err)
	}
	return decodeObject(json.NewDecoder(bytes.NewReader(data)), "", fields)
}

func syntaxError(data []byte, err error) error {
	var syntax *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return wrong("", "there is no JSON")
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		return wrong(fmt.Sprintf("line %d", line), "%s", syntax)
	default:
		return wrong("", "%s", err)
	}
}

// decodeObject reads an object whose keys are those of fields, into what they point to. A null leaves
// the value as it is.
func decodeObject(dec *json.Decoder, path string, fields map[string]any) error {
	start, err := dec.Token()
	if err != nil || start != json.Delim('{') {
		return wrong(path, "this is not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return wrong(path, "%s", err)
		}
		name, _ := token.(string)
		target, known := fields[name]
		switch {
		case !known:
			return wrong(path, "there is no key %q; the keys are %s", name, keysOf(fields))
		case seen[name]:
			return wrong(path, "the key %q is there twice", name)
		}
		seen[name] = true
		if err := dec.Decode(target); err != nil {
			return typeError(join(path, name), err)
		}
	}
	if _, err := dec.Token(); err != nil && err != io.EOF {
		return wrong(path, "%s", err)
	}
	return nil
}

// typeError says what was expected, in the words of JSON.
func typeError(key string, err error) error {
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return wrong(key, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	want := "a number"
	switch kind := mismatch.Type.Kind().String(); {
	case strings.HasPrefix(kind, "int"):
		want = "a whole number"
	case kind == "string":
		want = "a string"
	case kind == "slice", kind == "array":
		want = "a list"
	}
	return wrong(key, "%s where %s is needed", mismatch.Value, want)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func keysOf(fields map[string]any) string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
