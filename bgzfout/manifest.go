package bgzfout

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// ManifestName is the file that says which shards of a folder belong together.
const ManifestName = "manifest.json"

// ManifestVersion is the schema_version written here.
const ManifestVersion = 1

// Manifest lists the shards of a folder in order. It is the authority on the folder:
// a file it does not name is no part of the data.
type Manifest struct {
	SchemaVersion int     `json:"schema_version"`
	Records       int64   `json:"records"`
	ReadSum       string  `json:"readsum,omitempty"` // of the input reads, as `alignpipe checksum` prints it
	Shards        []Shard `json:"shards"`
}

// Shard is one complete BAM of a folder.
type Shard struct {
	Name            string `json:"name"`
	Bytes           int64  `json:"bytes"`
	SHA256          string `json:"sha256"` // of the file
	Index           string `json:"index,omitempty"`
	IndexBytes      int64  `json:"index_bytes,omitempty"`
	IndexSHA256     string `json:"index_sha256,omitempty"`
	Records         int64  `json:"records"`
	UnplacedRecords int64  `json:"unplaced_records"`
	First           *Place `json:"first"` // of the placed records; null without any
	Last            *Place `json:"last"`
}

// Place is where a record starts.
type Place struct {
	Reference string `json:"reference"`
	Position  int64  `json:"position"` // 1-based, as in SAM
}

// ParseManifest reads a manifest and refuses versions it does not know.
func ParseManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if m.SchemaVersion != ManifestVersion {
		return nil, fmt.Errorf("manifest: unknown schema_version %d", m.SchemaVersion)
	}
	return &m, nil
}

// encode returns the manifest as text.
func (m *Manifest) encode() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "  ")
	return append(data, '\n'), err
}

// headerNames reads the reference names out of a binary header.
func headerNames(header []byte) ([]string, error) {
	bad := errors.New("bam: not a binary header")
	le := binary.LittleEndian
	if len(header) < 12 || string(header[:4]) != "BAM\x01" {
		return nil, bad
	}
	rest := header[8:]
	textLen := int64(le.Uint32(header[4:]))
	if textLen > int64(len(rest))-4 {
		return nil, bad
	}
	count, rest := int64(le.Uint32(rest[textLen:])), rest[textLen+4:]
	if count > int64(len(rest))/9 { // l_name, at least a NUL, l_ref
		return nil, bad
	}
	names := make([]string, count)
	for i := range names {
		if len(rest) < 4 {
			return nil, bad
		}
		n := int64(le.Uint32(rest))
		if n < 1 || n > int64(len(rest))-8 {
			return nil, bad
		}
		names[i], rest = string(rest[4:4+n-1]), rest[4+n+4:]
	}
	return names, nil
}
