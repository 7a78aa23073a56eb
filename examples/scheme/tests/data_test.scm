(load "harness.scm")
;; pairs and lists
(test "list operations"
  '(3 (3 2 1) (1 2 3 4) c (b c))
  (list (length '(1 2 3))
        (reverse '(1 2 3))
        (append '(1) '(2 3) '() '(4))
        (list-ref '(a b c) 2)
        (list-tail '(a b c) 1)))
(test "append shares and improper" '(1 2 . 3) (append '(1 2) 3))
(test "c*r" '(1 3 (5) 4) (list (caar '((1) 2)) (caddr '(1 2 3)) (cddddr '(1 2 3 4 5)) (cadddr '(1 2 3 4))))
(test "memq and assoc"
  '((c d) #f (2 b) ("b" . 2) (2.0 1))
  (list (memq 'c '(a b c d))
        (memv 5 '(1 2))
        (assv 2 '((1 a) (2 b)))
        (assoc "b" '(("a" . 1) ("b" . 2)))
        (member 2 '(3 2.0 1) =)))
(test "list-copy and set"
  '((1 9 3) (1 2 3))
  (let* ((a (list 1 2 3)) (b (list-copy a))) (set-car! (cdr a) 9) (list a b)))
(test "cons* and make-list" '((1 2 . 3) (x x)) (list (cons* 1 2 3) (make-list 2 'x)))
(test "list?"
  '(#t #t #f #f)
  (list (list? '()) (list? '(1)) (list? '(1 . 2)) (list? (let ((l (list 1 2))) (set-cdr! (cdr l) l) l))))
(test "map with several lists" '(11 22) (map + '(1 2 3) '(10 20)))
(test "map with three lists" '(111 222) (map + '(1 2) '(10 20) '(100 200)))
(test "fold"
  '((3 2 1) (1 2 3) 6 (((0 1) 2) 3))
  (list (fold cons '() '(1 2 3))
        (fold-right cons '() '(1 2 3))
        (reduce + 0 '(1 2 3))
        (fold-left list 0 '(1 2 3))))
(test "filter, delete, find"
  '((2 4) (1 3) 3 #f)
  (list (filter even? '(1 2 3 4)) (delete 2 '(1 2 3)) (find odd? '(2 3 5)) (find odd? '(2 4))))
(test "iota" '((0 1 2) (1 2 3) (0 2 4)) (list (iota 3) (iota 3 1) (iota 3 0 2)))
(test "sort is stable"
  '((1 a) (1 b) (2 a) (2 b))
  (sort '((2 a) (1 a) (2 b) (1 b)) (lambda (a b) (< (car a) (car b)))))
(test "sort a vector" #(1 2 3) (sort #(3 1 2) <))
(test "sort many"
  #t
  (let ((l (sort (map (lambda (i) (modulo (* i 7919) 10007)) (iota 10000)) <))) (apply < (list-head l 5000))))
;; equality
(test "eq on symbols, empty list, small integers"
  '(#t #t #t #f)
  (list (eq? 'a 'a) (eq? '() '()) (eq? 100 100) (eq? (list 1) (list 1))))
(test "equal on structures"
  '(#t #t #f #t)
  (list (equal? '(1 (2 #(3))) '(1 (2 #(3))))
        (equal? "abc" "abc")
        (equal? "abc" "abd")
        (equal? #u8(1 2) #u8(1 2))))
;; symbols
(test "symbols"
  '("abc" #t "Hello World")
  (list (symbol->string 'abc)
        (eq? 'abc (string->symbol "abc"))
        (symbol->string (string->symbol "Hello World"))))
(test "bars" '("a b" "") (list (symbol->string '|a b|) (symbol->string '||)))
;; characters
(test "characters"
  '(97 #\b #\A #t #t #t #f)
  (list (char->integer #\a)
        (integer->char 98)
        (char-upcase #\a)
        (char-alphabetic? #\x)
        (char-numeric? #\5)
        (char-whitespace? #\space)
        (char<? #\b #\a)))
(test "character names"
  '(32 10 9 0 127 955)
  (map char->integer (list #\space #\newline #\tab #\nul #\delete #\x3bb)))
(test "char->digit" '(7 #f) (list (digit-value #\7) (digit-value #\x)))
;; strings
(test "strings"
  '(3 #\b "bc" "abcdef" "ABC")
  (list (string-length "abc")
        (string-ref "abc" 1)
        (substring "abc" 1 3)
        (string-append "abc" "def")
        (string-upcase "abc")))
(test "string mutation" "aXc" (let ((s (string-copy "abc"))) (string-set! s 1 #\X) s))
(test "unicode"
  '(5 #\λ "λx.é!" 7)
  (let ((s "λx.é!"))
    (list (string-length s)
          (string-ref s 0)
          (string-append "λx" ".é!")
          (bytevector-length (string->utf8 s)))))
(test "widening" "aλc" (let ((s (make-string 3 #\a))) (string-set! s 1 #\λ) (string-set! s 2 #\c) s))
(test "utf8 round trip" "grüße, 世界" (utf8->string (string->utf8 "grüße, 世界")))
(test "string comparison"
  '(#t #t #f #t #t)
  (list (string<? "abc" "abd")
        (string<? "ab" "abc")
        (string=? "a" "b")
        (string>? "b" "a")
        (string-ci=? "AbC" "aBc")))
(test "string conversions"
  '((#\a #\b) "ab" 42 #(#\a) "a b c")
  (list (string->list "ab")
        (list->string '(#\a #\b))
        (string->number "42")
        (string->vector "a")
        (string-join '("a" "b" "c"))))
(test "string-copy!" "abXYe" (let ((s (string-copy "abcde"))) (string-copy! s 2 "XYZ" 0 2) s))
(test "string-search"
  '(2 #f 0)
  (list (string-search "cd" "abcd") (string-search "x" "abcd") (string-search "" "abc")))
(test "string-map and for-each"
  '("BCD" (3 2 1))
  (list (string-map (lambda (c) (integer->char (+ 1 (char->integer c)))) "ABC")
        (let ((l '())) (string-for-each (lambda (c) (set! l (cons (digit-value c) l))) "123") l)))
(test "string escapes" '(9 10 34 92 65) (map char->integer (string->list "\t\n\"\\\x41;")))
(test "string line continuation" "one two" "one \
   two")
(test "prefix suffix index"
  '(#t #f #t 2)
  (list (string-prefix? "ab" "abc")
        (string-prefix? "bc" "abc")
        (string-suffix? "bc" "abc")
        (string-index "abc" #\c)))
(test "padding" '("  7" "ab ") (list (string-pad-left "7" 3) (string-pad-right "ab" 3)))
;; vectors
(test "vectors"
  '(3 b #(a x c) (a x c))
  (let ((v (vector 'a 'b 'c)))
    (let ((b (vector-ref v 1))) (vector-set! v 1 'x) (list (vector-length v) b v (vector->list v)))))
(test "vector operations"
  '(#(2 3) #(1 2 3 4) #(1 4 9) #(0 0))
  (list (vector-copy #(1 2 3) 1)
        (vector-append #(1 2) #(3 4))
        (vector-map * #(1 2 3) #(1 2 3))
        (make-vector 2 0)))
(test "vector-copy! overlaps" #(1 1 2 3 5) (let ((v (vector 1 2 3 4 5))) (vector-copy! v 1 v 0 3) v))
(test "vector-fill!" #(1 x x 4) (let ((v (vector 1 2 3 4))) (vector-fill! v 'x 1 3) v))
(test "vector-for-each" 6 (let ((n 0)) (vector-for-each (lambda (x) (set! n (+ n x))) #(1 2 3)) n))
;; bytevectors
(test "bytevectors"
  '(3 2 #u8(1 9 3) #u8(1 2 3 4) #u8(2 3))
  (let ((b (bytevector 1 2 3)))
    (let ((two (bytevector-u8-ref b 1)))
      (list (bytevector-length b)
            two
            (let ((c (bytevector-copy b))) (bytevector-u8-set! c 1 9) c)
            (bytevector-append #u8(1 2) #u8(3 4))
            (bytevector-copy b 1)))))
;; hash tables
(define table (make-equal-hash-table))
(for-each (lambda (i) (hash-table-set! table (list i "key") (* i i))) (iota 1000))
(test "hash table lookup"
  '(100 #f 1000)
  (list (hash-table-ref table (list 10 "key"))
        (hash-table-ref/default table '(nope) #f)
        (hash-table-size table)))
(test "hash table delete"
  '(#f 999)
  (begin
    (hash-table-delete! table (list 10 "key"))
    (list (hash-table-exists? table (list 10 "key")) (hash-table-count table))))
(test "hash table update"
  '(2 1)
  (let ((t (make-string-hash-table)))
    (for-each (lambda (w) (hash-table-update! t w (lambda (n) (+ n 1)) (lambda () 0))) '("a" "b" "a"))
    (list (hash-table-ref t "a") (hash-table-ref/default t "b" 0))))
(test "hash table walk"
  10
  (let ((t (make-eqv-hash-table)) (sum 0))
    (for-each (lambda (i) (hash-table-set! t i i)) (iota 5))
    (hash-table-walk t (lambda (k v) (set! sum (+ sum v))))
    sum))
(test "hash table keys"
  '(a b)
  (sort (hash-table-keys (alist->hash-table '((a . 1) (b . 2))))
        (lambda (a b) (string<? (symbol->string a) (symbol->string b)))))
(test "eqv table with bignums"
  'found
  (let ((t (make-eqv-hash-table)))
    (hash-table-set! t (expt 2 100) 'found)
    (hash-table-ref/default t (expt 2 100) #f)))
(test "hash table copy"
  '(1 2)
  (let* ((t (alist->hash-table '((a . 1)))) (c (hash-table-copy t)))
    (hash-table-set! c 'a 2)
    (list (hash-table-ref t 'a) (hash-table-ref c 'a))))
(test-error "missing key" (hash-table-ref table 'nothing))
;; records
(define-record-type <point> (make-point x y) point? (x point-x set-point-x!) (y point-y))
(test "records"
  '(3 4 #t #f 10)
  (let ((p (make-point 3 4)))
    (let ((x (point-x p))) (set-point-x! p 10) (list x (point-y p) (point? p) (point? 5) (point-x p)))))
(test-error "accessor of the wrong type" (point-x 5))
(test-error "accessor of another record type" (begin (define-record-type b (mb) b?) (point-x (mb))))
(test "record with a field set later"
  7
  (begin
    (define-record-type node (make-node value) node? (value node-value) (next node-next set-node-next!))
    (let ((n (make-node 1))) (set-node-next! n 7) (node-next n))))
