package funchost

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// blobEnvelope is what a blob function is sent: a reference under deferred
// binding, else the content. content is nil in the first case.
func blobEnvelope(f *function, uri, container, name string, info blobInfo, content []byte) (*envelope, error) {
	pattern, err := parseBlobPattern(f.trigger.Path)
	if err != nil {
		return nil, err
	}
	e := &envelope{binding: f.trigger.Name, head: object{
		{"Uri", scalarString(uri)},
		{"Properties", blobProperties(info)},
		{"Metadata", stringMap(info.metadata)},
	}}
	// The tokens are missing when the blob is not one of the path's: the host
	// calls the function all the same.
	tokens, _ := pattern.capture(container, name)
	for _, t := range tokens {
		e.head.set(t.key, scalarString(t.value))
	}
	if f.deferred {
		e.data = blobReference(f.trigger.Connection, container, name)
	} else {
		e.data = bytesValue(content)
	}
	return e, nil
}

// blobReference is ParameterBindingData as it arrives: the reference itself is
// hidden in Content, of which only the length can be seen.
func blobReference(connection, container, name string) string {
	hidden := fmt.Sprintf(`{"Connection":%s,"ContainerName":%s,"BlobName":%s}`,
		asciiQuote(connection), asciiQuote(container), asciiQuote(name))
	return object{
		{"Version", `"1.0"`},
		{"Source", `"AzureStorageBlobs"`},
		{"Content", object{{"Length", itoa(int64(len(hidden)))}, {"IsEmpty", "false"}, {"MediaType", `"application/json"`}}.String()},
		{"ContentType", `"application/json"`},
	}.String()
}

// asciiQuote quotes as System.Text.Json does, which writes the reference.
func asciiQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\b', r == '\f', r == '\n', r == '\r', r == '\t':
			b.WriteString(map[rune]string{'\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}[r])
		case r < 0x20, r == 0x7f, strings.ContainsRune("\"&'+<>`", r), r > 0x7f && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04X\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// blobProperties writes the fields of the service's properties, in the order
// and with the defaults of the SDK version that was measured.
func blobProperties(i blobInfo) string {
	text := func(s string) string {
		if s == "" {
			return "null"
		}
		return quote(s)
	}
	hash := "null"
	if len(i.contentMD5) > 0 {
		hash = quote(base64.StdEncoding.EncodeToString(i.contentMD5))
	}
	never := offsetTime(time.Time{})
	boolean := func(b bool) string { return fmt.Sprint(b) }
	return object{
		{"LastModified", offsetTime(i.modified)},
		{"CreatedOn", offsetTime(i.created)},
		{"Metadata", stringMap(i.metadata)},
		{"ObjectReplicationDestinationPolicyId", "null"},
		{"ObjectReplicationSourceProperties", "null"},
		{"BlobType", itoa(int64(i.blobType))},
		{"CopyCompletedOn", never},
		{"CopyStatusDescription", "null"},
		{"CopyId", "null"},
		{"CopyProgress", "null"},
		{"CopySource", "null"},
		{"CopyStatus", "0"},
		{"BlobCopyStatus", "null"},
		{"IsIncrementalCopy", "false"},
		{"DestinationSnapshot", "null"},
		{"LeaseDuration", "0"},
		{"LeaseState", "0"},
		{"LeaseStatus", "1"},
		{"ContentLength", itoa(i.size)},
		{"ContentType", text(i.contentType)},
		{"ETag", "{}"},
		{"ContentHash", hash},
		{"ContentEncoding", text(i.encoding)},
		{"ContentDisposition", text(i.disposition)},
		{"ContentLanguage", text(i.language)},
		{"CacheControl", text(i.cacheControl)},
		{"BlobSequenceNumber", "0"},
		{"AcceptRanges", `"bytes"`},
		{"BlobCommittedBlockCount", "0"},
		{"IsServerEncrypted", boolean(i.encrypted)},
		{"EncryptionKeySha256", "null"},
		{"EncryptionScope", "null"},
		{"AccessTier", text(i.tier)},
		{"AccessTierInferred", boolean(i.tierInferred)},
		{"ArchiveStatus", "null"},
		{"AccessTierChangedOn", offsetTime(i.tierChanged)},
		{"VersionId", "null"},
		{"IsLatestVersion", "false"},
		{"TagCount", "0"},
		{"ExpiresOn", never},
		{"IsSealed", "false"},
		{"RehydratePriority", "null"},
		{"LastAccessed", never},
		{"ImmutabilityPolicy", `{"ExpiresOn":null,"PolicyMode":null}`},
		{"HasLegalHold", "false"},
	}.String()
}

func stringMap(m map[string]string) string {
	var o object
	for _, key := range slices.Sorted(maps.Keys(m)) {
		o = append(o, member{key, quote(m[key])})
	}
	return o.String()
}
