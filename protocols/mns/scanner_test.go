package mns

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// firstChild reads a document and gives the text of the element that its root begins with.
func firstChild(doc string) (root, text string, err error) {
	s, err := newScanner([]byte(doc))
	if err != nil {
		return "", "", err
	}
	if root, err = s.root(); err != nil {
		return "", "", err
	}
	_, ok, err := s.child()
	if err != nil || !ok {
		return root, "", err
	}
	body, err := s.text()
	if err == nil {
		err = s.skip()
	}
	if err == nil {
		err = s.end()
	}
	return root, string(body), err
}

func TestScanner(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ doc, want string }{
		"plain":                  {"<a><b>hello</b></a>", "hello"},
		"declaration":            {`<?xml version="1.0" encoding="UTF-8"?><a><b>hello</b></a>`, "hello"},
		"declaration, quotes":    {"<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<a><b>hello</b></a>", "hello"},
		"declaration, no coding": {"<?xml version='1.0'?><a><b>hello</b></a>", "hello"},
		"byte order mark":        {"\uFEFF<?xml version='1.0' encoding='utf-8'?><a><b>hello</b></a>", "hello"},
		"namespace":              {`<a xmlns="http://mns.aliyuncs.com/doc/v1/"><b>hello</b></a>`, "hello"},
		"prefixes":               {`<m:a xmlns:m="http://mns.aliyuncs.com/doc/v1"><m:b>hello</m:b></m:a>`, "hello"},
		"attributes":             {`<a x = 'a"b' y="&lt;'" ><b z="1" >hello</b ></a>`, "hello"},
		"blanks kept":            {"<a>\n  <b> \t\n hello </b>\n</a>\n", " \t\n hello "},
		"line ends kept":         {"<a><b>one\r\ntwo\rthree&#13;&#xD;</b></a>", "one\r\ntwo\rthree\r\r"},
		"empty":                  {"<a><b></b></a>", ""},
		"empty, one tag":         {"<a><b/></a>", ""},
		"empty root":             {"<a />", ""},
		"the five entities":      {"<a><b>&lt;&gt;&amp;&quot;&apos;</b></a>", `<>&"'`},
		"numbered characters":    {"<a><b>&#65;&#x42;&#x1F600;&#228;</b></a>", "AB😀ä"},
		"section":                {"<a><b>1<![CDATA[<&]]>2<![CDATA[]]]]>3</b></a>", "1<&2]]3"},
		"comments":               {"<!-- < --><a><!----><b>hel<!-- & -->lo</b></a><!-- end -->", "hello"},
		"instructions":           {"<a><?php echo ?><b>hel<?x?>lo</b></a>", "hello"},
		"unknown siblings":       {"<a><b>hello</b><c><d>1<e/></d></c></a>", "hello"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, text, err := firstChild(tt.doc)
			if root != "a" || text != tt.want || err != nil {
				t.Errorf("got %s: %q, %v, want a: %q", root, text, err, tt.want)
			}
		})
	}
}

func TestScannerRefuses(t *testing.T) {
	t.Parallel()
	const malformedXML, invalidArgument = "MalformedXML", "InvalidArgument"
	tests := map[string]struct{ doc, code string }{
		"no element":                 {" \n", malformedXML},
		"text":                       {"hello", malformedXML},
		"not closed":                 {"<a><b>hello</b>", malformedXML},
		"not closed, text":           {"<a><b>hello", malformedXML},
		"not closed, tag":            {"<a><b", malformedXML},
		"not closed, end tag":        {"<a><b></b></a", malformedXML},
		"wrong end tag":              {"<a><b>hello</a></b>", malformedXML},
		"wrong prefix at the end":    {"<a><x:b>hello</y:b></a>", malformedXML},
		"two roots":                  {"<a><b>hello</b></a><a/>", malformedXML},
		"text behind":                {"<a><b>hello</b></a>x", malformedXML},
		"no name":                    {"<a><>hello</></a>", malformedXML},
		"a digit begins a name":      {"<a><1>hello</1></a>", malformedXML},
		"two prefixes":               {"<a><x:y:b>hello</x:y:b></a>", malformedXML},
		"nothing but a prefix":       {"<a><x:>hello</x:></a>", malformedXML},
		"an & alone":                 {"<a><b>salt & pepper</b></a>", malformedXML},
		"an & at the end":            {"<a><b>salt &amp</b></a>", malformedXML},
		"unknown entity":             {"<a><b>&nbsp;</b></a>", malformedXML},
		"document type":              {`<!DOCTYPE a [<!ENTITY x "y">]><a><b>&x;</b></a>`, malformedXML},
		"a million laughs":           {`<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a><b>&b;</b></a>`, malformedXML},
		"external entity":            {`<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><b>1</b></a>`, malformedXML},
		"NUL by number":              {"<a><b>&#0;</b></a>", malformedXML},
		"bell by number":             {"<a><b>&#x7;</b></a>", malformedXML},
		"surrogate by number":        {"<a><b>&#xD800;</b></a>", malformedXML},
		"U+FFFE by number":           {"<a><b>&#xFFFE;</b></a>", malformedXML},
		"beyond Unicode":             {"<a><b>&#x110000;</b></a>", malformedXML},
		"a number too long":          {"<a><b>&#99999999999999999999;</b></a>", malformedXML},
		"a sign in a number":         {"<a><b>&#+65;</b></a>", malformedXML},
		"no digits":                  {"<a><b>&#;</b></a>", malformedXML},
		"control character":          {"<a><b>\x07</b></a>", malformedXML},
		"no UTF-8":                   {"<a><b>\xff</b></a>", malformedXML},
		"no UTF-8, half a character": {"<a><b>\xe4</b></a>", malformedXML},
		"other encoding":             {`<?xml version="1.0" encoding="GBK"?><a><b>hello</b></a>`, malformedXML},
		"UTF-16":                     {"\xFE\xFF\x00<\x00a\x00/\x00>", malformedXML},
		"late declaration":           {"<!-- --><?xml version='1.0'?><a><b/></a>", malformedXML},
		"end of a section in text":   {"<a><b>]]></b></a>", malformedXML},
		"section not closed":         {"<a><b><![CDATA[hello</b></a>", malformedXML},
		"comment not closed":         {"<a><!-- <b>hello</b></a>", malformedXML},
		"-- in a comment":            {"<a><!-- a--b --><b>hello</b></a>", malformedXML},
		"attribute without quotes":   {"<a x=1><b>hello</b></a>", malformedXML},
		"attribute without value":    {"<a x><b>hello</b></a>", malformedXML},
		"attribute without blank":    {"<a x='1'y='2'><b>hello</b></a>", malformedXML},
		"< in an attribute":          {"<a x='<'><b>hello</b></a>", malformedXML},
		"too deep":                   {"<a>" + strings.Repeat("<c>", 10_000) + strings.Repeat("</c>", 10_000) + "</a>", invalidArgument},
		"too deep, unknown":          {"<a><b>1</b>" + strings.Repeat("<c>", 10_000) + strings.Repeat("</c>", 10_000) + "</a>", malformedXML},
		"elements in a text":         {"<a><b>hello <i>world</i></b></a>", invalidArgument},
		"text between elements":      {"<a>hello<b>world</b></a>", invalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, text, err := firstChild(tt.doc)
			if err == nil {
				t.Fatalf("got %q, want %s", text, tt.code)
			}
			if got := wireErrorOf(err).code; got != tt.code {
				t.Errorf("got %s (%v), want %s", got, err, tt.code)
			}
		})
	}
}

func TestScannerDepth(t *testing.T) {
	t.Parallel()
	doc := func(depth int) string {
		return "<a><b/>" + strings.Repeat("<c>", depth-1) + strings.Repeat("</c>", depth-1) + "</a>"
	}
	if _, _, err := firstChild(doc(maxDepth)); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
	if _, _, err := firstChild(doc(maxDepth + 1)); err == nil {
		t.Errorf("%d levels are accepted", maxDepth+1)
	}
}

// Text in many pieces must not be copied again for each of them.
func TestScannerManyPieces(t *testing.T) { // not parallel: it counts allocations
	const n = 200_000
	allocations := testing.AllocsPerRun(1, func() {
		_, text, err := firstChild("<a><b>" + strings.Repeat("x<!---->", n) + "</b></a>")
		if len(text) != n || err != nil {
			t.Errorf("got %d bytes and %v, want %d", len(text), err, n)
		}
	})
	if allocations > 100 {
		t.Errorf("took %v allocations", allocations)
	}
}

// FuzzScanner compares with encoding/xml: what the scanner accepts is well-formed, and means the same.
func FuzzScanner(f *testing.F) {
	for _, doc := range []string{
		"<Message><MessageBody>a&amp;b&#13;</MessageBody><Priority>8</Priority></Message>",
		`<!--c--><m:a xmlns:m='x'><b><![CDATA[<]]></b>t<c d="&lt;"/></m:a>`,
		"\uFEFF<a>\r\n<?p i?></a> <!-- -->",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := outline(doc)
		if err != nil {
			var known wireError
			if !errors.As(err, &known) && core.CodeOf(err) == core.Internal {
				t.Fatalf("got an error that no client understands: %v", err)
			}
			return
		}
		if bytes.ContainsFunc(doc, func(r rune) bool { return r >= utf8.RuneSelf }) || bytes.Contains(doc, []byte("<?xml")) {
			return // the scanner looks less closely at names beyond ASCII and at declarations
		}
		want, err := standardOutline(doc)
		if err != nil {
			t.Fatalf("%q is accepted, but %v", doc, err)
		}
		if got != want {
			t.Errorf("%q reads as %q, want %q", doc, got, want)
		}
	})
}

// outline gives the start tags, texts and end tags of a document.
func outline(doc []byte) (string, error) {
	s, err := newScanner(doc)
	if err != nil {
		return "", err
	}
	root, err := s.root()
	if err != nil {
		return "", err
	}
	out := "<" + root + ">"
	for s.depth > 0 {
		text, ended, err := s.content()
		if err != nil {
			return "", err
		}
		out += string(text)
		name := s.current()
		if ended {
			out += "</" + name + ">"
			err = s.close()
		} else {
			name, err = s.start()
			out += "<" + name + ">"
		}
		if err != nil {
			return "", err
		}
	}
	return normal(out), s.end()
}

func standardOutline(doc []byte) (string, error) {
	decoder := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, byteOrderMark)))
	out, depth := "", 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && depth == 0 {
			return normal(out), nil
		} else if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			out += "<" + token.Name.Local + ">"
			depth++
		case xml.EndElement:
			out += "</" + token.Name.Local + ">"
			depth--
		case xml.CharData:
			if depth > 0 {
				out += string(token)
			}
		}
	}
}

// normal takes the one difference that is wanted away: how a line ends.
func normal(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}
