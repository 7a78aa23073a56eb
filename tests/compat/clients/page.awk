# Writes a page of HTML of a kind and size:  awk -v kind=tables|lists|text|forms -v size=N -f page.awk
# The same page each time, from a generator of its own.

function below(n) {
  seed = (seed * 1309 + 13849) % 65536
  return int(seed / 7) % n
}

function word(    letters, i, text) {
  letters = 1 + below(9)
  text = ""
  for (i = 0; i < letters; i++) text = text substr("etaoinshrdlucmfwypvbgkqjxz", 1 + below(26), 1)
  return text
}

function words(n,    text) {
  for (text = word(); n > 1; n--) text = text " " word()
  return text
}

# A phrase with some markup in it, links and entities among them.
function phrase(n,    kind) {
  kind = below(8)
  if (kind == 0) return "<b>" words(n) "</b>"
  if (kind == 1) return "<a href=\"http://example.org/" word() "?a=1&amp;b=" below(100) "\">" words(n) "</a>"
  if (kind == 2) return words(n) " &lt;" word() "&gt; &eacute;&uuml;&szlig;&Omega; &#8212; &#x4e2d;&#25991;"
  if (kind == 3) return "<i>" words(n) "</i><br>"
  return words(n)
}

function table(rows, columns, depth,    row, column) {
  print "<table border=" below(2) " width=" (50 + 10 * below(5)) "%><caption>" words(3) "</caption>"
  for (row = 0; row < rows; row++) {
    print "<tr>"
    for (column = 0; column < columns; column++) {
      printf row == 0 ? "<th>" : below(10) == 0 && column + 1 < columns ? "<td colspan=2 align=right>" : "<td>"
      if (depth > 0 && below(6) == 0) table(2, 2, depth - 1)
      else print phrase(1 + below(4))
    }
  }
  print "</table>"
}

function list(items, depth,    i, tag) {
  tag = below(2) ? "ul" : "ol"
  print "<" tag ">"
  for (i = 0; i < items; i++) {
    print "<li>" phrase(1 + below(12))
    if (depth > 0 && below(3) == 0) list(1 + below(4), depth - 1)
  }
  print "</" tag ">"
}

function text(i) {
  if (i % 20 == 0) print "<h" (1 + below(4)) " id=s" i ">" words(4) "</h2>"
  if (i % 7 == 0) print "<blockquote><p>" phrase(20) "</blockquote>"
  if (i % 11 == 0) print "<pre>\n" words(5) "\n\t" words(3) "\n</pre>"
  if (i % 13 == 0) print "<dl><dt>" word() "<dd>" phrase(10) "</dl>"
  print "<p>" phrase(10) " " phrase(15) ", " phrase(30) "."
}

function form(i,    j) {
  print "<form action=\"/" word() "\" method=post>" word() " <input type=text name=a" i " size=20 value=\"" words(2) "\">"
  for (j = 0; j < 4; j++) print "<input type=checkbox name=c" j (below(2) ? " checked" : "") "> " word()
  print "<select name=s>"
  for (j = 0; j < 8; j++) print "<option value=" j (j == 3 ? " selected" : "") ">" words(2)
  print "</select><textarea rows=2 cols=30>" words(12) "</textarea><input type=submit value=\"" word() "\"></form>"
}

BEGIN {
  seed = 1
  print "<!DOCTYPE html>\n<html><head><title>" words(5) "</title></head><body>"
  for (i = 0; i < size; i++) {
    if (kind == "tables") table(2 + below(8), 2 + below(5), 2)
    else if (kind == "lists") list(2 + below(6), 5)
    else if (kind == "text") text(i)
    else form(i)
  }
  print "</body></html>"
}
