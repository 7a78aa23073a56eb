;; Closures, conditions and restarts, unwinding, special variables, a small interpreter with environments of closures.
(defparameter *size* (parse-integer (car (last (ext:command-args)))))

(define-condition trouble (error) ((level :initarg :level :reader level)))

(defvar *unwound* 0)

(defun deep (n)
  (unwind-protect
       (if (zerop n)
           (restart-case (error 'trouble :level n)
             (use (value) value))
           (1+ (deep (1- n))))
    (incf *unwound*)))

(format t "restarted: ~a, unwound: ~a~%"
        (loop for i below *size*
              sum (handler-bind ((trouble (lambda (condition) (invoke-restart 'use (+ i (level condition))))))
                    (deep 20)))
        *unwound*)

(format t "caught: ~a~%"
        (loop for i below *size*
              sum (handler-case (if (oddp i) (deep 10) (catch 'out (throw 'out i)))
                    (trouble (condition) (+ 1000 (level condition))))))

;; An interpreter: expressions become closures over a list of frames.

(defun compiled (expression scope)
  (cond ((integerp expression) (lambda (frames) (declare (ignore frames)) expression))
        ((symbolp expression) (reference expression scope))
        (t (case (first expression)
             (if-zero (destructuring-bind (test then else) (mapcar (lambda (e) (compiled e scope)) (rest expression))
                        (lambda (frames) (if (eql 0 (funcall test frames)) (funcall then frames) (funcall else frames)))))
             (function (let ((body (compiled (third expression) (cons (second expression) scope))))
                         (lambda (frames) (lambda (arguments) (funcall body (cons arguments frames))))))
             ((+ - *) (let ((operation (symbol-function (first expression)))
                            (a (compiled (second expression) scope)) (b (compiled (third expression) scope)))
                        (lambda (frames) (mod (funcall operation (funcall a frames) (funcall b frames)) 1000003))))
             (t (let ((callee (compiled (first expression) scope))
                      (arguments (mapcar (lambda (e) (compiled e scope)) (rest expression))))
                  (lambda (frames)
                    (funcall (funcall callee frames)
                             (mapcar (lambda (argument) (funcall argument frames)) arguments)))))))))

(defun reference (name scope)
  (let* ((depth (position-if (lambda (names) (member name names)) scope))
         (index (position name (nth depth scope))))
    (lambda (frames) (nth index (nth depth frames)))))

(defparameter *program*
  '((function (make) (make make ((function (n) (* n n)) 3) 14))
    (function (self f n)
      (if-zero n
               1
               (if-zero (- n 1)
                        2
                        (+ f (+ (self self (+ f 1) (- n 1)) (self self (+ f 2) (- n 2)))))))))

(format t "interpreted: ~a~%"
        (loop for i below (ceiling *size* 100)
              sum (funcall (compiled *program* '()) '())))

;; Generators made of closures, joined in long chains.

(defun counting () (let ((n 0)) (lambda () (incf n))))
(defun mapped (f generator) (lambda () (funcall f (funcall generator))))
(defun kept-if (test generator)
  (lambda () (loop for value = (funcall generator) when (funcall test value) return value)))

(let ((generator (counting)))
  (dotimes (i 20)
    (let ((i i))
      (setf generator (if (oddp i)
                          (mapped (lambda (value) (+ value i)) generator)
                          (kept-if (lambda (value) (not (zerop (mod value (+ i 7))))) generator)))))
  (format t "generated: ~a~%" (loop repeat *size* sum (funcall generator))))

(defvar *special* '())
(defun nested (n)
  (let ((*special* (cons n *special*)))
    (if (zerop n) (reduce #'+ *special*) (nested (1- n)))))
(format t "special: ~a~%" (loop for i below *size* sum (nested (mod i 50))))
