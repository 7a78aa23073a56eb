;; Bignums, fractions, floats, complex numbers: Fibonacci, continued fractions, a primality test, printing in several
;; bases, a Mandelbrot row.
(defparameter *size* (parse-integer (car (last (ext:command-args)))))

(defun fibonacci (n)
  (let ((a 0) (b 1))
    (dotimes (i n a) (psetf a b b (+ a b)))))

(defun digit-sum (n)
  (reduce #'+ (map 'list #'digit-char-p (write-to-string n))))

(format t "fibonacci: ~a~%" (digit-sum (fibonacci (* 10 *size*))))

(defun power (base exponent modulus)
  (let ((result 1))
    (loop while (> exponent 0)
          do (when (oddp exponent) (setf result (mod (* result base) modulus)))
             (setf base (mod (* base base) modulus)
                   exponent (ash exponent -1)))
    result))

(defun probable-prime-p (n)
  (and (oddp n)
       (every (lambda (base) (= 1 (power base (1- n) n))) '(2 3 5 7))))

(format t "primes: ~a~%"
        (loop with base = (expt 10 30)
              for i from 1 below *size* by 2
              when (probable-prime-p (+ base i)) collect i))

(defun convergents (n)
  (let ((x 1))
    (dotimes (i n x) (setf x (+ 1 (/ 1 (+ 1 x)))))))

(let ((x (convergents *size*)))
  (format t "root of two: ~a, ~a digits~%" (< (abs (- (* x x) 2)) (expt 10 (- *size*)))
          (length (write-to-string (denominator x)))))

(format t "bases: ~{~a ~}~%"
        (loop for base from 2 to 36
              collect (mod (reduce #'+ (map 'list #'char-code (write-to-string (expt 7 *size*) :base base :radix nil)))
                           997)))
(format t "read back: ~a~%" (= (parse-integer (write-to-string (expt 3 (* 5 *size*)))) (expt 3 (* 5 *size*))))

(defun escapes (c)
  (let ((z 0))
    (dotimes (i 50 50)
      (setf z (+ (* z z) c))
      (when (> (+ (expt (realpart z) 2) (expt (imagpart z) 2)) 4) (return i)))))

(format t "mandelbrot: ~{~a ~}~%"
        (loop for y from -1 to 1 by 1/4
              collect (loop for i below (ceiling *size* 20)
                            sum (escapes (complex (- (* 3d0 (/ i (ceiling *size* 20))) 2d0) (float y 1d0))))))

(format t "series: ~,9f~%"
        (let ((sum 0d0))
          (dotimes (i (* 100 *size*) sum) (incf sum (/ (if (evenp i) 4d0 -4d0) (+ i i 1))))))
