"""Files of each type, made here: good ones, and a PDF as long as one likes."""
import io
import zipfile
import zlib

TYPES = ('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
         '<Default Extension="xml" ContentType="application/xml"/></Types>')
RELATIONS = ('<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
             '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
             'relationships/officeDocument" Target="word/document.xml"/></Relationships>')
STYLES = ('<w:styles xmlns:w="w"><w:style w:type="paragraph" w:styleId="Heading1">'
          '<w:name w:val="heading 1"/></w:style></w:styles>')
CORE = ('<cp:coreProperties xmlns:cp="cp" xmlns:dc="dc" xmlns:dcterms="dcterms">'
        '<dc:title>Handbook of tides</dc:title><dc:language>en-GB</dc:language>'
        '<dcterms:created>2021-03-04T05:06:07Z</dcterms:created></cp:coreProperties>')


def paragraph(text, style=None):
    """A paragraph of WordprocessingML."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ''
    return f'<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>'


def docx(body, document=None, more=()):
    """A Word file of this body, or with this as its whole document part."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as package:
        package.writestr('[Content_Types].xml', TYPES)
        package.writestr('_rels/.rels', RELATIONS)
        package.writestr('word/document.xml', document or
                         f'<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>')
        package.writestr('word/styles.xml', STYLES)
        package.writestr('docProps/core.xml', CORE)
        for name, content in more:
            package.writestr(name, content)
    return out.getvalue()


def pdf(pages, title=None, packed=True):
    """A PDF of these pages, each a list of lines, with an outline entry every ten."""
    objects = ['<</Type /Catalog /Pages 2 0 R /Outlines 4 0 R>>', None,
               '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>', None]
    kids, marks = [], []
    for number, lines in enumerate(pages):
        text = 'BT /F 10 Tf 12 TL 50 780 Td\n' + ''.join(
            '({}) Tj T*\n'.format(line.replace('\\', r'\\').replace('(', r'\(')
                                  .replace(')', r'\)')) for line in lines) + 'ET'
        data = text.encode('latin-1', 'replace')
        extra = ''
        if packed:
            data, extra = zlib.compress(data), ' /Filter /FlateDecode'
        objects.append(f'<</Length {len(data)}{extra}>>\nstream\n'.encode() + data
                       + b'\nendstream')
        objects.append('<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources '
                       f'<</Font <</F 3 0 R>>>> /Contents {len(objects)} 0 R>>')
        kids.append(len(objects))
        if number % 10 == 0 and lines:
            marks.append(kids[-1])
    first = len(objects) + 1
    objects[1] = (f'<</Type /Pages /Count {len(kids)} /Kids '
                  f'[{" ".join(f"{kid} 0 R" for kid in kids)}]>>')
    objects[3] = (f'<</First {first} 0 R /Last {first + len(marks) - 1} 0 R '
                  f'/Count {len(marks)}>>' if marks else '<<>>')
    for index, mark in enumerate(marks):
        after = f' /Next {first + index + 1} 0 R' if index + 1 < len(marks) else ''
        objects.append(f'<</Title (Chapter {index + 1}) /Parent 4 0 R{after} '
                       f'/Dest [{mark} 0 R /Fit]>>')
    objects.append(f'<</Title ({title or ""}) /CreationDate (D:20220102030405Z)>>')
    out, offsets = io.BytesIO(), []
    out.write(b'%PDF-1.5\n')
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(f'{number} 0 obj\n'.encode())
        out.write(body if isinstance(body, bytes) else body.encode())
        out.write(b'\nendobj\n')
    table = out.tell()
    out.write(f'xref\n0 {len(objects) + 1}\n0000000000 65535 f \n'.encode())
    out.write(''.join(f'{offset:010} 00000 n \n' for offset in offsets).encode())
    out.write(f'trailer\n<</Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R>>\n'
              f'startxref\n{table}\n%%EOF\n'.encode())
    return out.getvalue()


def made_files():
    """Name and bytes of good files, one of each type."""
    text = 'The tide gauge at Leith was read each hour.'
    return {
        'tides.pdf': pdf([[text, 'Page one.'], ['Page two.', text]], 'Tides'),
        'plain.pdf': pdf([[text]], packed=False),
        'tides.docx': docx(paragraph('Moon', 'Heading1') + paragraph(text) +
                           '<w:tbl><w:tr><w:tc>' + paragraph('port') + '</w:tc><w:tc>' +
                           paragraph('Leith') + '</w:tc></w:tr></w:tbl>'),
        'tides.md': f'---\ntitle: Tides\n---\n# Moon\n\n{text}\n\n| a | b |\n|---|---|\n'
                    '| 1 | 2 |\n\n> - deep\n>   - deeper\n'.encode(),
        'tides.html': f'<!DOCTYPE html><html lang="en"><title>Tides</title><h1>Moon</h1>'
                      f'<p>{text}<table><tr><td>1<td>2</table><script>1</script>'.encode(),
        'tides.csv': b'port,height\nLeith,"5.6"\n"Newhaven, old",5.4\n',
        'tides.txt': text.encode('utf-16'),
    }
