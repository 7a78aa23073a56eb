(load "harness.scm")
(define (written x) (call-with-output-string (lambda (p) (write x p))))
(define (displayed x) (call-with-output-string (lambda (p) (display x p))))
(test "write atoms"
  '("#t" "#f" "()" "42" "-1/2" "1.5" "abc" "#\\a" "#\\space")
  (map written (list #t #f '() 42 -1/2 1.5 'abc #\a #\space)))
(test "write strings" "\"a\\\"b\\\\c\\n\"" (written "a\"b\\c\n"))
(test "write symbols with odd characters" '("|a b|" "||" "|1|") (map written (list '|a b| '|| '|1|)))
(test "write structures"
  '("(1 (2 . 3) #(4 \"five\") #u8(6))" "'a" "`(b ,c ,@d)")
  (map written (list '(1 (2 . 3) #(4 "five") #u8(6)) ''a '`(b ,c ,@d))))
(test "display" "(a \"b\" c)" (written '(a "b" c)))
(test "display strings plainly" "(a b c)" (displayed '(a "b" #\c)))
(test "circular lists" "#0=(1 2 . #0#)" (let ((l (list 1 2))) (set-cdr! (cdr l) l) (written l)))
(test "circular vectors" "#0=#(1 #0#)" (let ((v (vector 1 2))) (vector-set! v 1 v) (written v)))
(test "long lists" 588891 (string-length (written (iota 100000))))
(test "read"
  '(1 (2 . 3) #(4) "five" #\6 seven)
  (read (open-input-string "(1 (2 . 3) #(4) \"five\" #\\6 seven)")))
(test "read comments" '(1 4) (read (open-input-string "; no\n#| no #| nested |# |# (1 #;(2 3) 4)")))
(test "read labels" 1 (car (cddr (read (open-input-string "#0=(1 2 . #0#)")))))
(test "read several"
  '(a b #t)
  (let ((p (open-input-string "a b"))) (let* ((x (read p)) (y (read p))) (list x y (eof-object? (read p))))))
(test "read abbreviations"
  '((quote a) (quasiquote (b (unquote c) (unquote-splicing d))))
  (let ((p (open-input-string "'a `(b ,c ,@d)"))) (let* ((x (read p)) (y (read p))) (list x y))))
(test "read-char and peek-char"
  '(#\λ #\λ #\b #t)
  (let ((p (open-input-string "λb")))
    (let* ((a (peek-char p)) (b (read-char p)) (c (read-char p))) (list a b c (eof-object? (read-char p))))))
(test "read-line"
  '("one" "" "three")
  (let ((p (open-input-string "one\n\nthree")))
    (let* ((a (read-line p)) (b (read-line p)) (c (read-line p))) (list a b c))))
(test "read-string"
  '("ab" "c" #t)
  (let ((p (open-input-string "abc")))
    (let* ((a (read-string 2 p)) (b (read-string 2 p))) (list a b (eof-object? (read-string 2 p))))))
(test "write and read back"
  #t
  (let ((x '(1 2.5 "str" #\x (nested #(vector)) sym |odd sym|)))
    (equal? x (read (open-input-string (written x))))))
(define path
  (string-append (or (get-environment-variable "TMPDIR") "/tmp")
                 "/scheme-io-test-"
                 (number->string (current-jiffy))))
(test "write a file"
  #t
  (begin
    (call-with-output-file path
      (lambda (p) (write-string "first line\n" p) (write '(second "line") p) (newline p) (display "grüße" p)))
    (file-exists? path)))
(test "read a file"
  '("first line" (second "line") "grüße" #t)
  (call-with-input-file path
    (lambda (p)
      (let* ((a (read-line p)) (b (read p)) (ignored (read-line p)) (c (read-line p)))
        (list a b c (eof-object? (read-line p)))))))
(test "with-output-to-file and with-input-from-file"
  'datum
  (begin (with-output-to-file path (lambda () (write 'datum))) (with-input-from-file path read)))
(test "large file"
  200000
  (begin
    (call-with-output-file path
      (lambda (p) (do ((i 0 (+ i 1))) ((= i 20000)) (write-string "123456é89\n" p))))
    (call-with-input-file path
      (lambda (p) (let loop ((n 0)) (if (eof-object? (read-char p)) n (loop (+ n 1))))))))
(test "binary file"
  '(0 255 10 #t)
  (begin
    (let ((p (open-binary-output-file path))) (write-u8 0 p) (write-bytevector #u8(255 10) p) (close-port p))
    (let* ((p (open-binary-input-file path)) (a (read-u8 p)) (b (peek-u8 p)) (r (read-bytevector 10 p)))
      (list a b (bytevector-u8-ref r 1) (eof-object? (read-u8 p))))))
(test "unclosed files are collected"
  'ok
  (do ((i 0 (+ i 1))) ((= i 200) 'ok) (open-input-file path) (if (= 0 (modulo i 50)) (gc))))
(delete-file path)
(test "delete-file" #f (file-exists? path))
(test-error "reading a closed port" (let ((p (open-input-string "x"))) (close-port p) (read-char p)))
(test-error "writing to an input port" (write 'x (open-input-string "x")))
(test "with-output-to-string" "hello 42" (with-output-to-string (lambda () (display "hello ") (display 42))))
(test "bytevector ports"
  #u8(1 2 3)
  (let ((p (open-output-bytevector))) (write-u8 1 p) (write-bytevector #u8(2 3) p) (get-output-bytevector p)))
(test "eof-object" #t (eof-object? (eof-object)))
(test "port predicates"
  '(#t #f #t #t)
  (let ((p (open-input-string ""))) (list (input-port? p) (output-port? p) (textual-port? p) (port? p))))
(test "char-ready?" #t (char-ready? (open-input-string "x")))
