"""Tags in pictures' metadata: in XMP sidecars, or in the pictures themselves, where photo programs read them.

`write` is the way in; nothing here knows a batch. Existing files are edited as bytes, at the places that expat reports,
so that what is not ours stays byte for byte. A tree that is parsed and written again (lxml, ElementTree, the XMP
toolkit) loses quotes, line ends and the spaces between attributes, so no such library writes here. `python-xmp-toolkit`
(BSD) rewrites the whole packet and needs Exempi installed; `exiv2` and `pyexiv2` are under the GPL. In the tests, lxml
is the second reader.
"""
